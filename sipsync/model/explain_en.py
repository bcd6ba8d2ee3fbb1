"""The explanations in English."""

from __future__ import annotations

from sipsync.model.explain import Explanation as E
from sipsync.model.problems import Code

EXPLANATIONS: dict[Code, E] = {
    # files
    Code.FILE_NOT_FOUND: E(
        "File not found",
        "A file or folder that was named does not exist.",
        "Check the name and the folder you are in. Without a name, sipsync looks for sipsync.yaml, then portals/.",
    ),
    Code.FILE_UNREADABLE: E(
        "File can't be read",
        "The file exists, but it can't be opened or read.",
        "Check its permissions, and that it is a file and not a folder.",
    ),
    Code.FILE_NAME: E(
        "File name causes trouble",
        "The name collides with another one on Windows or macOS, or is one that Windows keeps for devices.",
        "Rename the file. Names must differ in more than upper and lower case, and must not be CON, NUL or the like.",
    ),
    Code.NO_PORTALS: E(
        "No portal files",
        "No file among those named describes a portal.",
        "A portal file begins with `sipsync: 1`. `sipsync init` or `sipsync import` writes one.",
    ),
    Code.NO_MARKER: E(
        "Not marked as a sipsync file",
        "The file lacks the line `sipsync: 1` that marks it and tells the version of its format.",
        "Put `sipsync: 1` at its top if it is meant to describe a portal.",
    ),
    Code.ENCODING: E(
        "File is not UTF-8",
        "The file's bytes are not UTF-8 text, and no byte order mark tells what else they are.",
        "Save it as UTF-8 in your editor.",
    ),
    Code.SYNTAX: E(
        "Not valid YAML",
        "The file can't be read as YAML at the place shown: often a wrong indent, a tab, or a missing quote.",
        "Mend that place. A text with a colon, a hash or a bracket in it is best put in quotes.",
    ),
    Code.TOO_LARGE: E(
        "File too large or too deep",
        "The file is larger, deeper nested or has more aliases than any honest portal file needs.",
        "Split it into several files, or check where it came from.",
    ),
    Code.DUPLICATE_KEY: E(
        "Key given twice",
        "One key stands twice in the same place, so that one of its values would be lost.",
        "Remove or rename one of the two.",
    ),
    Code.UNKNOWN_KEY: E(
        "Unknown key",
        "The format has no such key at this place, often because of a typing mistake or a wrong indent.",
        "Use the name that is suggested, or look it up: `sipsync schema` lists all keys.",
    ),
    Code.MISSING_KEY: E(
        "Key missing",
        "Something that must be given here is not given.",
        "Add the key that is named.",
    ),
    Code.WRONG_TYPE: E(
        "Wrong kind of value",
        "A value of another kind is needed here, such as a list in the place of a text.",
        "Write the value in the form that is described.",
    ),
    Code.BAD_VALUE: E(
        "Value not allowed",
        "The value has the right kind, but it is not one that can be used here.",
        "Choose one of the values that are named.",
    ),
    Code.TOO_LONG: E(
        "Value too long",
        "Bitrix24 refuses longer values, or drops them without a word.",
        "Shorten it: a title to 255 characters, a server, login or password to 100.",
    ),
    Code.WHITE_SPACE: E(
        "White space at the ends",
        "Bitrix24 cuts white space off at both ends, so the line would look different from the file for ever.",
        "Remove the blanks at the beginning and the end.",
    ),
    Code.LITERAL_SECRET: E(
        "Secret written in the file",
        "A password or webhook stands in the file itself, where everybody who can read the repository can read it.",
        "Refer to it, as in `env:SIP_PASSWORD` or `file:/run/secrets/sip`. If it was committed, change it.",
    ),
    Code.SHARED_SECRET: E(
        "One secret for several lines",
        "Several lines use the same reference to a password, which is often a mistake made in copying.",
        "Give each line a reference of its own, unless the provider really has one password for all.",
    ),
    Code.TEMPORARY_TITLE: E(
        "Title kept for sipsync",
        "Titles that begin with `~sipsync-` are kept for the moment in which two lines swap their titles.",
        "Choose another title.",
    ),
    Code.BAD_ADDRESS: E(
        "Name not allowed",
        "The name of a portal or line has characters that it must not have.",
        "Use letters, digits, `-` and `_`, beginning with a letter or digit.",
    ),
    Code.INCLUDE: E(
        "Included file can't be used",
        "A file named under `include` is missing, lies outside the allowed folder, or includes itself.",
        "Correct the name. Included files must lie below the repository's folder (or --root).",
    ),
    Code.DUPLICATE_PORTAL: E(
        "Two portals of one name",
        "Two files describe a portal of the same name, so that addresses would be ambiguous.",
        "Give one of them another `portal.name`, or rename its file.",
    ),
    Code.DUPLICATE_CONFIG_ID: E(
        "Two lines claim one config_id",
        "Two lines of the file are meant to be the same line in Bitrix24.",
        "Correct one of the two ids: `sipsync status` lists them.",
    ),
    Code.DUPLICATE_TITLE: E(
        "Title used twice",
        "Two lines are to have the same title, and Bitrix24 allows a title only once on a portal.",
        "Change one of the titles.",
    ),
    Code.SIMILAR_TITLES: E(
        "Titles that Bitrix24 takes for equal",
        "The titles differ only in letter case, accents or the like, and Bitrix24's database takes them for equal.",
        "Make them differ by more, or one of the changes may be refused.",
    ),
    Code.NOT_FORMATTED: E(
        "Not in the canonical layout",
        "The file means what it should, but is not laid out as `sipsync fmt` would do it.",
        "Run `sipsync fmt`; comments stay.",
    ),
    # secrets
    Code.SECRET_UNSET: E(
        "Secret not set",
        "The file refers to a secret that is not there, or is empty.",
        "Set the variable, file or entry that is named. In CI, see that the job is given it.",
    ),
    Code.SECRET_SCHEME: E(
        "Unknown kind of secret reference",
        "What stands before the colon is no kind of reference that is known here.",
        "Use env:, file:, exec:, sops:, vault: or keyring:, or install the package that brings this one.",
    ),
    Code.SECRET_EXTRA: E(
        "Package for this secret store missing",
        "This kind of reference needs a part of sipsync that is not installed.",
        "Install it as the message says, for example `pip install 'sipsync[vault]'`.",
    ),
    Code.SECRET_FORBIDDEN: E(
        "Secret out of bounds",
        "The file refers to a secret that the operator does not let files reach.",
        "If it is meant, the operator allows it: SIPSYNC_ENV, SIPSYNC_SECRET_ROOTS, --secret-command or --vault-path.",
    ),
    Code.SECRET_SOURCE: E(
        "Secret store failed",
        "The store or command that holds the secret failed or did not answer.",
        "Look at the reason that is given, and try the store by hand.",
    ),
    Code.SECRET_VALUE: E(
        "Secret can't be used as it is",
        "The value is empty, too long, or has white space at its ends that Bitrix24 would cut off.",
        "Store it anew without blanks or line breaks at the ends; a password has 1 to 100 characters.",
    ),
    # the way to a portal
    Code.BAD_URL: E(
        "Not a usable address",
        "The webhook's address, or the application's domain, does not have the form that Bitrix24 gives it.",
        "Copy the webhook's URL from Bitrix24 as a whole: https://PORTAL.bitrix24.com/rest/1/SECRET/.",
    ),
    Code.HOST_FORBIDDEN: E(
        "Host not allowed",
        "The credential would be sent to a host that is not known to belong to Bitrix24.",
        "If the host is yours, a self-hosted portal for example, allow it by SIPSYNC_HOSTS.",
    ),
    Code.UNREACHABLE: E(
        "Portal can't be reached",
        "No connection to the portal could be made: name, network, proxy or certificate.",
        "Open the portal in a browser on this machine. Behind a proxy, set HTTPS_PROXY.",
    ),
    Code.TIMEOUT: E(
        "Portal took too long",
        "The portal did not answer in time, or all of its work did not fit in the time given.",
        "Try again later, or allow more with --timeout. Running it again goes on where it stopped.",
    ),
    Code.NOT_BITRIX24: E(
        "Answer is not from Bitrix24's API",
        "Something answered, but not with what the API answers: a login page, a proxy or another site.",
        "Check the address, and whether a proxy or firewall stands between.",
    ),
    Code.PORTAL_MOVED: E(
        "Portal has another address now",
        "The portal was renamed and sends its callers to another address.",
        "Write the new address into the webhook or `portal.oauth.domain`.",
    ),
    Code.PORTAL_GONE: E(
        "Portal does not exist any more",
        "Bitrix24 says that there is no such portal: deleted, expired or frozen.",
        "Check the address and the portal's subscription.",
    ),
    Code.CREDENTIAL: E(
        "Credential not accepted",
        "The portal does not know the webhook or the application any more, or never did.",
        "Make a new webhook in Bitrix24 and store it where the file refers to. `sipsync doctor` checks it.",
    ),
    Code.TOKEN: E(
        "Token expired or voided",
        "The application's token is no longer valid and could not be renewed.",
        "Give a new access token or refresh token. Only one program may renew a refresh token.",
    ),
    Code.NO_SCOPE: E(
        "Webhook lacks telephony",
        "The credential may not use the telephony part of the API.",
        "Edit the webhook in Bitrix24 and tick Telephony. `sipsync doctor` says where.",
    ),
    Code.NO_RIGHT: E(
        "User may not manage lines",
        "The user whom the webhook acts for may not manage telephony numbers.",
        "Give that user's role the right to manage numbers, under Telephony, Access permissions.",
    ),
    Code.SUBSCRIPTION: E(
        "Subscription does not include this",
        "The portal's plan does not include the REST API or telephony, or has run out.",
        "Check the subscription in Bitrix24.",
    ),
    Code.RATE_LIMIT: E(
        "Too many requests",
        "The portal takes only so many requests in a time, and other programs share that.",
        "Try again later; --parallel does not help on one portal. Running it again goes on where it stopped.",
    ),
    Code.BLOCKED: E(
        "Portal blocked the requests",
        "The portal blocked this application or method for a while because of its load.",
        "Wait for ten minutes or more, and see which other programs use the API.",
    ),
    Code.REFUSED: E(
        "Refused by Bitrix24",
        "The portal understood the call and said no, for the reason given.",
        "Act on the reason. If it makes no sense, look at the line in Bitrix24.",
    ),
    Code.HOST_TWICE: E(
        "One portal in two files",
        "Two files name the same portal and the same owner of lines.",
        "Put all lines of one owner into one file.",
    ),
    # planning
    Code.LINE_NOT_FOUND: E(
        "Line not found",
        "The credential sees no line with this config_id or title.",
        "Check the id with `sipsync status`. A webhook does not see an application's lines, and an application only "
        "its own.",
    ),
    Code.LINE_AMBIGUOUS: E(
        "Several lines fit",
        "The title fits several lines of the portal, so it can't be told which one is meant.",
        "Add the `config_id` of the right one; the message lists them.",
    ),
    Code.LOOKS_LIKE_RENAME: E(
        "Looks like a renamed line",
        "No line has the title, but one that the file does not name has the same server and login.",
        "Add its `config_id` to the line, so that it is renamed and not made a second time.",
    ),
    Code.CREATE_OFF: E(
        "Adding lines is off",
        "The line does not exist, and the file's policy does not let sipsync make it.",
        "Set `policy: {create: true}`, or add the `config_id` of the line that is meant.",
    ),
    Code.DELETE_OFF: E(
        "Deleting lines is off",
        "A line is listed under `removed`, but the policy does not allow deletes.",
        "Set `policy: {delete: true}` if the line is really to go. What hangs on it is lost for good.",
    ),
    Code.TYPE_DIFFERS: E(
        "Line has another type",
        "The file says cloud and the line is an office line, or the other way round; that can't be changed.",
        "Correct `type` in the file. Another type needs a new line, without the old one's settings.",
    ),
    Code.REMOVED_DIFFERS: E(
        "Line to delete has another title",
        "The title under `removed` is not the line's title now, so it may be another line.",
        "Look at the line in Bitrix24, then correct the title or the `config_id`.",
    ),
    Code.TITLE_HELD: E(
        "Title taken on the portal",
        "Another line, number or caller ID of the portal has the title, perhaps one that this credential can't see.",
        "Choose another title. If you know that it is free, --allow title-held:ADDRESS lets Bitrix24 decide.",
    ),
    Code.HALF_SWAP: E(
        "Only one half of a swap selected",
        "The line gets a title that another line gives up, and that line is not part of this run.",
        "Select both lines, or leave out both.",
    ),
    Code.CLOUD_LIMIT: E(
        "Too many cloud lines",
        "A portal has room for so many cloud lines only, and this would be one more.",
        "Delete a line first, or make it an office line.",
    ),
    Code.NOTHING_SELECTED: E(
        "Nothing selected",
        "A name or pattern on the command line fits no portal or line.",
        "Check it for typing mistakes; `sipsync plan` without it shows all addresses.",
    ),
    Code.PASSWORDS_NOT_COMPARED: E(
        "Passwords not compared",
        "The portal returned no passwords, or secrets were not read, so it is not known whether they differ.",
        "Nothing need be done. To send a password anyway, use --reregister ADDRESS.",
    ),
    Code.NEVER_REGISTERED: E(
        "Line is not registered",
        "The line is as the file wants it, but its registration with the provider failed or was never confirmed.",
        "Check server, login and password with the provider; --reregister ADDRESS tries again. With REG_ID 0 only "
        "deleting the line and making it anew helps.",
    ),
    Code.DEFAULT_LINE: E(
        "Default outgoing line changes",
        "The change makes a new line the portal's default for outgoing calls, or leaves none.",
        "Choose the default line in Bitrix24 yourself if that is not wanted.",
    ),
    Code.LOST_FOR_GOOD: E(
        "Settings are lost with the line",
        "With a line, Bitrix24 deletes its queue, voice menu, recording, working hours, CRM rules and access rights.",
        "Note them down first if you need them. A line made anew has another config_id and none of these.",
    ),
    Code.UNMANAGED: E(
        "Lines that are not in the file",
        "The portal has lines that the file does not name. They are left alone.",
        "`sipsync import` adds them to the file; `policy: {unmanaged: ignore}` silences this.",
    ),
    Code.PLAN_IS_WRONG: E(
        "The plan would not work",
        "Trying the plan out beforehand showed a call that the server would refuse. Nothing was sent.",
        "This is a mistake in sipsync: please report it.",
    ),
    # safety limits
    Code.VANISHED_LINES: E(
        "All known lines vanished",
        "The credential sees none of the lines that the file names: probably it is another webhook or application.",
        "Use the credential that the file was imported with.",
    ),
    Code.MAX_CHANGES: E(
        "More changes than allowed",
        "The plan changes more lines at once than the policy allows.",
        "Change fewer at a time, for example with --line, or allow this once with --allow max-changes:PORTAL.",
    ),
    Code.PROTECTED: E(
        "Line is protected",
        "The plan would change or delete a line that the policy protects.",
        "Leave it out with --exclude ADDRESS, or allow this once with --allow protected:ADDRESS.",
    ),
    Code.IGNORED_FIELD: E(
        "Ignored field",
        "A field is left alone by `ignore_fields`, or that has run out and the field counts again.",
        "Remove the entry, or give it a new `until`.",
    ),
    Code.UNKNOWN_ALLOW: E(
        "--allow names nothing",
        "--allow must name one finding and its address, and this is none that can be allowed.",
        "Copy it from the message of the finding, as in max-changes:acme.",
    ),
    # saved plans and snapshots
    Code.PLAN_UNREADABLE: E(
        "Plan file can't be read",
        "The file is no saved plan, or it was cut or damaged.",
        "Make a new plan with `sipsync plan --out FILE`.",
    ),
    Code.PLAN_TOO_NEW: E(
        "Plan of a newer sipsync",
        "The plan was written by a newer version, in a format that this one does not know.",
        "Use the same version for plan and apply.",
    ),
    Code.PLAN_TOO_OLD: E(
        "Plan too old",
        "The plan was made longer ago than --max-plan-age allows.",
        "Make a new plan.",
    ),
    Code.PLAN_SEAL: E(
        "Plan made with another credential, or edited",
        "The plan's seal does not fit: it was made with another credential, or somebody changed it.",
        "Make a new plan. Where two jobs have different credentials, set the same SIPSYNC_PLAN_KEY for both.",
    ),
    Code.PLAN_UNEXPECTED: E(
        "Not the plan that was approved",
        "The plan's digest is not the one that was expected.",
        "Apply the plan that was reviewed, or review this one.",
    ),
    Code.STALE_LINE: E(
        "Line changed since the plan",
        "Somebody changed the line in Bitrix24 after the plan was made. It was not touched.",
        "Make a new plan and look at it.",
    ),
    Code.STALE_FILE: E(
        "File changed since the plan",
        "The file no longer says what it said when the plan was made.",
        "Make a new plan, or apply from the commit that was planned.",
    ),
    Code.STALE_SECRET: E(
        "Secret changed since the plan",
        "A password has another value now than when the plan was made.",
        "Make a new plan.",
    ),
    Code.SNAPSHOT: E(
        "Saved state can't be used",
        "The saved state is too old, unreadable, or lacks a portal of the files.",
        "Make a new one with `sipsync snapshot --out FILE`.",
    ),
    # applying
    Code.DECLINED: E(
        "Not confirmed",
        "The question was not answered with `yes`. Nothing was sent.",
        "Run it again, or give --yes where nobody is to be asked.",
    ),
    Code.NO_TERMINAL: E(
        "Nobody there to ask",
        "The plan must be confirmed, and there is no terminal.",
        "Give --yes, or apply a saved plan that was reviewed.",
    ),
    Code.LOCKED: E(
        "Another run is at work",
        "Another sipsync on this machine is applying to the same portal.",
        "Wait until it is done, or wait longer with --lock-timeout.",
    ),
    Code.WRITE_FAILED: E(
        "Change failed",
        "Bitrix24 did not carry out a change, for the reason given. The other lines went on.",
        "Act on the reason and run it again: what is done stays done.",
    ),
    Code.UNCONFIRMED: E(
        "Result not known",
        "A change was sent and the answer was lost, so it is not known whether it was carried out.",
        "Run it again: it reads the line first and sends only what is missing.",
    ),
    Code.NOT_CARRIED_OUT: E(
        "Accepted and not carried out",
        "Bitrix24 accepted the change, but reading the line back shows other values.",
        "Make a new plan and see what is left. Perhaps somebody changed the line at the same time.",
    ),
    Code.NOT_ATTEMPTED: E(
        "Not attempted",
        "The line was not touched, because something that had to come first failed or the run was stopped.",
        "Mend that and run it again.",
    ),
    Code.TEMPORARY_LEFT: E(
        "Line has a temporary title",
        "Two lines were swapping titles and the run stopped in between, so one is still called `~sipsync-…`.",
        "Run `sipsync apply` again: it gives the line its title. Nothing else about it changed.",
    ),
    Code.UNHEALTHY: E(
        "Line did not register",
        "The line was written, but its registration with the provider failed or was not confirmed in time.",
        "Check server, login and password with the provider; `sipsync status --live` asks again.",
    ),
    Code.INTERRUPTED: E(
        "Interrupted",
        "The run was stopped by a signal, such as Ctrl-C.",
        "Run it again: what is done stays done.",
    ),
    # output and the rest
    Code.UNWRITABLE: E(
        "File can't be written",
        "A report, plan or file could not be written.",
        "Check the folder, its permissions and the free space.",
    ),
    Code.STATE_UNSAFE: E(
        "State folder is not safe",
        "The folder that keeps locks and tokens belongs to somebody else, or others may write there.",
        "Make it yours and private (chmod 700), or choose another with --state-dir.",
    ),
    Code.FORGE: E(
        "GitHub or GitLab refused",
        "The comment could not be written.",
        "Check the token and its permissions: it must be allowed to write comments on pull requests.",
    ),
    Code.USAGE: E(
        "Wrong usage",
        "The command line has a mistake.",
        "See --help of the command.",
    ),
    Code.EXTRA_MISSING: E(
        "Part of sipsync not installed",
        "The command needs a part of sipsync that is installed separately.",
        "Install it as the message says, for example `pip install 'sipsync[sandbox]'`.",
    ),
    Code.INTERNAL: E(
        "Internal error",
        "sipsync did something that it should not. Nothing secret is in the message.",
        "Please report it with the message and what you did.",
    ),
}
