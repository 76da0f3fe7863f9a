//! The variables that zrep knows.

/// Those that change what it does: what the file says of them must be understood.
pub const EFFECTIVE: [&str; 23] = [
    "BBCP",
    "MBUFFER",
    "SSH",
    "ZREPTAG",
    "ZREP_CHANGEDONLY",
    "ZREP_CREATE_FLAGS",
    "ZREP_DATEFORMAT",
    "ZREP_FORCE",
    "ZREP_INC_FLAG",
    "ZREP_INFILTER",
    "ZREP_INIT_REMOTE_PROPERTIES",
    "ZREP_OUTFILTER",
    "ZREP_PATH",
    "ZREP_PLAIN_PEER",
    "ZREP_R",
    "ZREP_RESUME_FLAGS",
    "ZREP_RUNDIR",
    "ZREP_SAVE_COUNT",
    "ZREP_SEND_FLAGS",
    "ZREP_SKIP_EXPIRE",
    "ZREP_SRC_HOST",
    "ZREP_VERBOSE",
    "Z_LOCK_RETRY",
];

/// Variables of the whole process: who runs zrep sets them. A file that is read after the start comes too late for them.
pub const WITHOUT_EFFECT_IN_FILE: [&str; 5] = ["LANG", "LC_ALL", "LC_TIME", "PATH", "TZ"];
