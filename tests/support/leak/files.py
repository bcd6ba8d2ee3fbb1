"""Files in which somebody wrote a secret itself, in all the ways in which people do."""

from __future__ import annotations

PORTAL = "sipsync: 1\nportal:\n  "
HEAD = f"{PORTAL}webhook: env:HOOK\n"
LINE = f"{HEAD}lines:\n  sales:\n    config_id: 1\n    login: u1\n"
APPLICATION = f"{PORTAL}oauth:\n    domain: acme.bitrix24.ru\n    "
WEBHOOK = "https://acme.bitrix24.ru/rest/1/SECRET/"

LITERALS = {
    "block": f"{LINE}    password: SECRET\n",
    "quoted": f'{LINE}    password: "SECRET"\n',
    "single_quoted": f"{LINE}    password: 'SECRET'\n",
    "flow": f"{HEAD}lines: {{sales: {{config_id: 1, password: SECRET}}}}\n",
    "flow_lines": f"{HEAD}lines: {{sales: {{config_id: 1,\n  password: SECRET,\n  logn: u}}}}\n",
    "misspelt": f"{LINE}    pasword: SECRET\n",
    "misspelt_far": f"{LINE}    pw: SECRET\n",
    "foreign_word": f"{LINE}    пароль: SECRET\n",
    "capitals": f"{LINE}    PASSWORD: SECRET\n",
    "no_blank": f"{LINE}    password:SECRET\n",
    "equals": f"{LINE}    password=SECRET\n",
    "equals_in_flow": f"{HEAD}lines: {{sales: {{config_id: 1, password=SECRET}}}}\n",
    "key_below": f"{LINE}    password:\n      SECRET: x\n",
    "key_in_flow": f"{LINE}    password: {{SECRET: x, SECRET}}\n",
    "as_list": f"{LINE}    password: [SECRET]\n",
    "as_mapping": f"{LINE}    password:\n      value: SECRET\n",
    "on_a_line_of_its_own": f"{LINE}    password:\n      SECRET\n",
    "literal_block": f"{LINE}    password: |\n      SECRET\n      SECRET\n",
    "folded_block": f"{LINE}    password: >-\n      one\n      SECRET\n    logn: u\n",
    "plain_lines": f"{LINE}    password: one\n      SECRET\n      two\n",
    "quoted_lines": f'{LINE}    password: "one\n      SECRET\n      two"\n',
    "tag": f"{LINE}    password: !secret SECRET\n",
    "tag_itself": f"{LINE}    password: !SECRET\n",
    "anchor": f"{LINE}    password: &it SECRET\n  depot:\n    config_id: 2\n    password: *it\n",
    "anchor_name": f"{LINE}    password: &SECRET env:SIP_PASSWORD\n    logn: u\n",
    "alias_name": f"{LINE}    password: *SECRET\n",
    "comment": f"{LINE}    password: env:SIP_PASSWORD # SECRET\n    logn: u # SECRET\n",
    "no_comment": f"{LINE}    password: env:SIP_PASSWORD SECRET\n",
    "blank_in_reference": f"{LINE}    password: env SECRET\n",
    "unknown_scheme": f"{LINE}    password: pass:SECRET\n",
    "bare_scheme": f"{LINE}    password: SECRET:\n",
    "login_and_password": f"{LINE}    password: u1:SECRET@host\n",
    "duplicate": f"{LINE}    password: env:SIP_PASSWORD\n    password: SECRET\n",
    "after_duplicate": f"{LINE}    login: u2\n    password: SECRET\n",
    "under_tab": f"{LINE}\tpassword: SECRET\n",
    "tab_after": f"{LINE}    password:\tSECRET\t: x\n",
    "colon_in_value": f"{LINE}    password: SECRET: more\n",
    "unclosed_quote": f'{LINE}    password: "SECRET\n    logn: u\n',
    "unclosed_single": f"{LINE}    password: 'SECRET\n",
    "quote_in_value": f'{LINE}    password: "a"SECRET\n',
    "bad_escape": f'{LINE}    password: "\\qSECRET"\n',
    "bad_start": f"{LINE}    password: @SECRET\n",
    "backtick": f"{LINE}    password: `SECRET`\n",
    "percent": f"{LINE}    password: %SECRET\n",
    "open_flow": f"{LINE}    password: [SECRET\n",
    "open_mapping": f"{LINE}    password: {{SECRET\n",
    "close_flow": f"{LINE}    password: SECRET]\n  }}\n",
    "bad_indent": f"{LINE}      password: SECRET\n",
    "less_indent": f"{LINE}   password: SECRET\n",
    "control_sign": f"{LINE}    password: SECRET\x07\n",
    "null_sign": f"{LINE}    password: SECRET\0\n",
    "question_mark": f"{LINE}    ? password\n    : SECRET\n",
    "dash": f"{LINE}    - password: SECRET\n",
    "merge_key": f"{LINE}    <<: {{password: SECRET}}\n",
    "top_level": f"{LINE}password: SECRET\n",
    "bare_text": "sipsync: 1\n- SECRET\n",
    "directive": f"%YAML SECRET\n---\n{LINE}    password: x\n",
    "document": f"{LINE}    password: env:SIP_PASSWORD\n--- SECRET\n",
    "defaults": f"{LINE}defaults:\n  password: SECRET\n",
    "second_on_a_line": f"{HEAD}lines: {{a: {{config_id: x, password: env:A}}, b: {{password: SECRET}}}}\n",
    "long_line": f"{LINE}    password: {'x' * 300}SECRET\n",
    "too_long": f"{LINE}    title: {'x' * 300}\n    password: {'SECRET' * 20}\n",
    "windows_ends": LINE.replace("\n", "\r\n") + "    password: SECRET\r\n",
    "old_mac_ends": LINE.replace("\n", "\r") + "    password: SECRET\r",
    "wide_space": f"{LINE}    password:\u3000SECRET\n",
    "webhook_in_file": f"{PORTAL}webhook: file:{WEBHOOK}\nlines: {{}}\n",
    "signs_in_reference": f"{LINE}    password: env:$SECRET!\n",
    "reference_and_url": f"{LINE}    password: vault:https://u:SECRET@vault/kv#p\n",
    "server_with_login": f"{LINE}    server: http://u1:SECRET@sip.example\n",
    "title_with_webhook": f"{LINE}    title: ~sipsync- {WEBHOOK}\n",
    "login_assigned": f"{LINE}    config_id: password=SECRET\n",
    "webhook": f"{PORTAL}webhook: {WEBHOOK}\nlines: {{}}\n",
    "webhook_quoted": f"{PORTAL}webhook: '{WEBHOOK}'\nlines: {{}}\n",
    "webhook_misspelt": f"{PORTAL}webhok: {WEBHOOK}\nlines: {{}}\n",
    "webhook_as_name": f"{PORTAL}name: {WEBHOOK}\n  webhook: env:H\nlines: {{}}\n",
    "webhook_as_portal": f"sipsync: 1\nportal: {WEBHOOK}\nlines: {{}}\n",
    "webhook_in_include": f"{LINE}include: [{WEBHOOK}]\n",
    "webhook_as_domain": f"{PORTAL}oauth:\n    domain: {WEBHOOK}\n    access_token: env:T\nlines: {{}}\n",
    "webhook_in_env": f"{PORTAL}webhook: env:{WEBHOOK}\nlines: {{}}\n",
    "access_token": f"{APPLICATION}access_token: SECRET\nlines: {{}}\n",
    "client_secret": f"{APPLICATION}client_secret: SECRET\n    client_id: i\nlines: {{}}\n",
    "refresh_token": f"{APPLICATION}refresh_tokn: SECRET\n    client_secret: env:S\nlines: {{}}\n",
    "token_url": f"{APPLICATION}access_token: env:T\n    token_url: https://evil.example/?refresh_token=SECRET\n",
}
"""What somebody did → the file; SECRET stands for the secret. Each is refused by `validate`.

A key that is a secret itself (`SECRET: …`) is not among them: keys are addresses, and shown everywhere.
"""

NOT_TEXT = {
    "latin": f"{LINE}    password: SECRET\n    title: Büro\n".encode("latin-1"),
    "utf16": f"{LINE}    password: SECRET\n".encode("utf-16-le"),
}
"""Files that are refused before they are read as YAML."""


def literal_files(secret: str) -> dict[str, bytes]:
    """All of them, by file name, with this secret."""
    texts = {name: text.encode() for name, text in LITERALS.items()}
    wide = NOT_TEXT["utf16"].replace("SECRET".encode("utf-16-le"), secret.encode("utf-16-le"))
    return {
        f"{name}.yaml": data.replace(b"SECRET", secret.encode()) for name, data in {**texts, **NOT_TEXT}.items()
    } | {"utf16.yaml": wide}
