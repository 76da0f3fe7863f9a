//! Raw bindings, generated at build time. Nothing in here is public.

#![allow(
    dead_code,
    missing_debug_implementations,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    unused_qualifications,
    clippy::all,
    clippy::multiple_unsafe_ops_per_block,
    clippy::ptr_as_ptr,
    clippy::undocumented_unsafe_blocks,
    clippy::use_self,
    reason = "generated code"
)]

/// Linked functions of `libzfs_core`.
pub(crate) mod core {
    include!(concat!(env!("OUT_DIR"), "/core.rs"));
}

/// Functions of `libzfs`, looked up at run time.
pub(crate) mod libzfs {
    include!(concat!(env!("OUT_DIR"), "/libzfs.rs"));
}

pub(crate) use self::core::boolean_t;
pub(crate) use nvpair_sys::nvlist_t;

/// C's truth value.
pub(crate) fn boolean(value: bool) -> boolean_t {
    if value { boolean_t::B_TRUE } else { boolean_t::B_FALSE }
}
