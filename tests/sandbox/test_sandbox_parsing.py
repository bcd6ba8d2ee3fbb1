"""Query strings and commands as PHP 8.2 reads them; the answers are PHP's own."""

from __future__ import annotations

from typing import Any

import pytest

from sipsync.sandbox.parsing import parse_json, parse_query, split_command


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("a.b=1&c d=2", {"a_b": "1", "c_d": "2"}),
        ("e[]=1&e[]=2", {"e": {0: "1", 1: "2"}}),
        ("f[x][y]=3", {"f": {"x": {"y": "3"}}}),
        ("g[=4&h[i=5&a.b[c.d=6", {"g_": "4", "h_i": "5", "a_b_c_d": "6"}),
        ("[j]=6&k]=7& l=8", {"k]": "7", "l": "8"}),
        ("m[ n]=9&a[ ]=1", {"m": {" n": "9"}, "a": {0: "1"}}),
        ("o%5Bp%5D=10", {"o": {"p": "10"}}),
        ("q=a%00b&r%00s=1&t", {"q": "a\0b", "r": "1", "t": ""}),
        ("a[b]c=1&a[b]c[d]=2", {"a": {"b": "2"}}),
        ("x=1&x[y]=2", {"x": {"y": "2"}}),
        ("a[0]=1&a[2]=3&a[]=4", {"a": {0: "1", 2: "3", 3: "4"}}),
        ("a[-1]=1&a[01]=2&a[]=3", {"a": {-1: "1", "01": "2", 0: "3"}}),
        ("=5&&&x", {"x": ""}),
        ("a[[b]=1&c[d][=2", {"a": {"[b": "1"}, "c": {"d": "2"}}),
        ("a[][]=1&a[][]=2", {"a": {0: {0: "1"}, 1: {0: "2"}}}),
        ("a=100%&b=%zz&c=1+1", {"a": "100%", "b": "%zz", "c": "1 1"}),
        ("a" + "[x]" * 65 + "=1", {}),
        ("&".join(f"a{place}=1" for place in range(1001)), {f"a{place}": "1" for place in range(1000)}),
    ],
)
def test_query_strings_are_read_as_parse_str_does(query: str, found: Any) -> None:
    assert parse_query(query) == found


@pytest.mark.parametrize(
    ("command", "method", "query"),
    [
        ("m?x=a:b", "m", "x=a:b"),
        ("m?x=a:80", "m", "x=a:80"),
        ("m#f?x", "m", ""),
        ("m?x=1\x01\n", "m", "x=1__"),
        ("a b:c?d", "a b:c", "d"),
        ("x:m?a=1", "m", "a=1"),
        ("m:1234567?x", "1234567", "x"),
        (":80", None, ""),
        (":", None, ""),
        ("://", "://", ""),
        ("m:", None, ""),
        ("m:80", None, ""),
        ("m/n:80", None, ""),
        ("//h/p", None, ""),
        ("http://h/p", None, ""),
    ],
)
def test_commands_are_split_as_parse_url_does(command: str, method: str | None, query: str) -> None:
    assert split_command(command) == (method, query)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": [1, {"b": null}]}', {"a": {0: 1, 1: {"b": None}}}),
        (b'{"a": 9223372036854775807, "b": 9223372036854775808}', {"a": 2**63 - 1, "b": 2.0**63}),
        (b'{"a": -1' + b"0" * 30 + b"}", {"a": -1e30}),
        (b'{"a": "' + b"[" * 600 + b'"}', {"a": "[" * 600}),
        (b'{"a": ' + b"[" * 512 + b"]" * 512 + b"}", {}),
        (b"[1", {}),
        (b"1", {}),
    ],
)
def test_json_is_read_as_json_decode_does(body: bytes, found: Any) -> None:
    assert parse_json(body) == found
