//! Generates the bindings from the headers of the machine that builds.
//!
//! * `core.rs`: `libzfs_core`, a linked library. Its soname has been the same since OpenZFS 2.0.
//! * `libzfs.rs`: a table of `libzfs` functions that is filled at run time. Its soname changes with
//!   almost every release, so it must never become a link-time dependency.
//!
//! The nvlist types are those of nvpair-sys, so both tables and the nvlist functions agree on them.

use std::env;
use std::path::PathBuf;

use bindgen::{Builder, EnumVariation};

/// Every `libzfs_core` function that is called. All of them are in OpenZFS 2.1 and later.
const CORE: &[&str] = &[
    "libzfs_core_init",
    "lzc_(snapshot|destroy_snaps|rollback|rollback_to|rename|exists)",
    "lzc_(create|clone|promote|destroy)",
    "lzc_(bookmark|get_bookmarks|destroy_bookmarks)",
    "lzc_(hold|release|get_holds)",
    "lzc_(send|send_resume|send_space|receive_with_cmdprops)",
    "lzc_(channel_program|channel_program_nosync|sync)",
    "lzc_(load_key|unload_key)",
];

/// Every `libzfs` function that is called. Each has one signature from OpenZFS 2.1 to 2.4.
const LIBZFS: &[&str] = &[
    "libzfs_(init|fini|errno|error_action|error_description|print_on_error)",
    "zfs_standard_error",
    "zfs_(open|close|get_name|get_type|refresh_properties)",
    "zfs_(get_all_props|get_user_props|get_recvd_props)",
    "zfs_(name_to_prop|prop_get|prop_get_written_int|prop_set_list|prop_inherit)",
    "zfs_(iter_root|iter_filesystems|iter_snapshots)",
    "zfs_(mount|mount_at|unmount|is_mounted)",
    "zfs_(send_resume_token_to_nvlist|send_progress)",
];

fn main() {
    println!("cargo:rerun-if-changed=wrapper.h");
    let include = include_args();
    write(core(bindings(&include)), "core.rs");
    write(libzfs(bindings(&include)), "libzfs.rs");
    println!("cargo:rustc-link-lib=dylib=zfs_core");
    println!("cargo:rustc-link-lib=dylib=nvpair");
}

/// Where the headers are. Linux has a `.pc` file; elsewhere `BINDGEN_EXTRA_CLANG_ARGS` may add to
/// the compiler's own search path.
fn include_args() -> Vec<String> {
    let probe = pkg_config::Config::new()
        .atleast_version("2.1")
        .cargo_metadata(false)
        .probe("libzfs_core");
    match probe {
        Ok(library) => library
            .include_paths
            .iter()
            .map(|path| format!("-I{}", path.display()))
            .collect(),
        Err(why) if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") => {
            panic!("the headers of libzfs_core 2.1 or later are needed (Debian: libzfslinux-dev): {why}")
        }
        Err(_) => Vec::new(),
    }
}

/// What both tables share. Enums are plain numbers: a newer library may return values that the
/// headers of this build do not name.
fn bindings(include: &[String]) -> Builder {
    Builder::default()
        .header("wrapper.h")
        .clang_args(include)
        .blocklist_type("nvlist|nvlist_t")
        .raw_line("use nvpair_sys::nvlist_t;")
        .default_enum_style(EnumVariation::Consts)
        .prepend_enum_name(false)
        .newtype_enum("boolean_t")
        .opaque_type("dmu_replay_record|libzfs_handle|zfs_handle")
        .wrap_unsafe_ops(true)
        .generate_comments(false)
        .layout_tests(false)
}

fn core(base: Builder) -> Builder {
    CORE.iter()
        .fold(base, |builder, name| builder.allowlist_function(name))
        .allowlist_type("lzc_send_flags|lzc_dataset_type")
        .allowlist_type("zfs_errno_t|zfs_error|zfs_type_t|zprop_source_t|boolean_t")
        .allowlist_var("ZFS_MAX_DATASET_NAME_LEN")
}

fn libzfs(base: Builder) -> Builder {
    LIBZFS
        .iter()
        .fold(base, |builder, name| builder.allowlist_function(name))
        .blocklist_type("boolean_t")
        .raw_line("use super::core::boolean_t;")
        .dynamic_library_name("Libzfs")
        .dynamic_link_require_all(false)
}

fn write(builder: Builder, name: &str) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    builder
        .generate()
        .expect("bindgen must be able to read wrapper.h")
        .write_to_file(out.join(name))
        .expect("OUT_DIR must be writable");
}
