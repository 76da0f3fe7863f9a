//! Which OpenZFS this is.

use crate::library;
use crate::os;

/// The versions of the two halves of ZFS. They differ after an upgrade until the machine is booted or
/// the module reloaded; then some calls fail as [`Unsupported`](crate::Kind::Unsupported).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The library that a [`Handle`](crate::Handle) has loaded, by its file name (`libzfs.so.6`).
    pub userland: Option<String>,
    /// What the kernel module says of itself (`2.3.2-1`), if it is loaded and has a version.
    pub kernel: Option<String>,
}

impl Versions {
    /// Looks. Loads nothing.
    pub fn detect() -> Self {
        Self {
            userland: library::loaded().map(|library| library.soname.to_owned()),
            kernel: os::kernel_version(),
        }
    }
}
