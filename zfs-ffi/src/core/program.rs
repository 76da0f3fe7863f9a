//! Channel programs: Lua that runs inside one transaction group.

use std::ffi::{CString, c_int};

use super::Core;
use crate::error::{Error, Kind, Op, Result, check};
use crate::nvlist::{NvList, Out};
use crate::signals::BlockAll;
use crate::sys::core as c;

/// A Lua program and how much it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The source text. It is written to the pool's history at every run, so keep it short.
    pub text: String,
    /// Lua instructions, at most 100 million.
    pub instruction_limit: u64,
    /// Bytes, at most 100 MiB. The C library allocates as much for the result.
    pub memory_limit: u64,
}

impl Program {
    /// A program with the usual limits: 10 million instructions and 4 MiB.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            instruction_limit: 10_000_000,
            memory_limit: 4 << 20,
        }
    }
}

/// `lzc_channel_program` and its read-only twin have one signature.
type Run = unsafe extern "C" fn(
    *const std::ffi::c_char,
    *const std::ffi::c_char,
    u64,
    u64,
    *mut crate::sys::nvlist_t,
    *mut *mut crate::sys::nvlist_t,
) -> c_int;

impl Core {
    /// Runs a program that may change the pool, in one transaction group, and gives what it returned,
    /// under `return`.
    ///
    /// Root only. Arguments may be booleans, strings, signed 64 bit numbers, lists and arrays of
    /// these; an unsigned number is refused, and so guids come and go as negative numbers half of the
    /// time.
    ///
    /// All changes become visible together and no other administrative operation comes in between. But
    /// nothing is undone when the program fails in the middle: check everything first, then change.
    /// Waits for one transaction group, and every other change of the pool waits for the program.
    ///
    /// # Errors
    ///
    /// A run time error of Lua is in the text. [`Invalid`](Kind::Invalid): syntax, limits or an
    /// argument's type; then nothing ran.
    ///
    /// Corresponds to `lzc_channel_program`.
    #[doc(alias = "lzc_channel_program")]
    pub fn program(&self, pool: &str, program: &Program, args: &NvList) -> Result<NvList> {
        run(c::lzc_channel_program, pool, program, args)
    }

    /// Runs a program that only looks. Waits for nothing. Root only all the same.
    ///
    /// Otherwise as [`program`](Self::program).
    ///
    /// Corresponds to `lzc_channel_program_nosync`.
    #[doc(alias = "lzc_channel_program_nosync")]
    pub fn program_readonly(&self, pool: &str, program: &Program, args: &NvList) -> Result<NvList> {
        run(c::lzc_channel_program_nosync, pool, program, args)
    }
}

fn run(call: Run, pool: &str, program: &Program, args: &NvList) -> Result<NvList> {
    let name = pool_name(Op::Program, pool)?;
    let text = CString::new(program.text.as_str())
        .map_err(|_| Error::new(Op::Program, pool, Kind::Invalid, "a zero byte in the program's text"))?;
    let Program {
        text: _,
        instruction_limit,
        memory_limit,
    } = *program;
    let mut out = Out::new();
    let _quiet = BlockAll::new();
    // SAFETY: `call` is one of the two functions above and the library is initialised, since only a
    // `Core` comes here; the strings are NUL terminated; the arguments are only read; the result
    // becomes ours, also on error.
    let rc = unsafe {
        call(
            name.as_ptr(),
            text.as_ptr(),
            instruction_limit,
            memory_limit,
            args.as_ptr(),
            out.as_mut(),
        )
    };
    let result = out.take().unwrap_or_default();
    check(Op::Program, pool, rc).map_err(|error| with_lua_error(error, &result))?;
    Ok(result)
}

/// The kernel puts what Lua said under `error`.
fn with_lua_error(error: Error, result: &NvList) -> Error {
    match result.get("error").and_then(|value| value.as_str().map(str::to_owned)) {
        Some(text) => error.with_detail(&text),
        None => error,
    }
}

pub(super) fn pool_name(op: Op, pool: &str) -> Result<CString> {
    CString::new(pool).map_err(|_| Error::new(op, format!("{pool:?}"), Kind::Invalid, "a zero byte in the pool's name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lua_said_is_in_the_error() {
        let mut result = NvList::new();
        result
            .add("error", "line 3: attempt to index a nil value")
            .expect("a valid string");
        let error = with_lua_error(Error::from_errno(Op::Program, "tank", 44), &result);
        assert!(error.to_string().contains("line 3: attempt to index"), "{error}");
    }
}
