//! What the loader demands before the program starts, and what may cross threads. Needs no kernel.

use std::env;
use std::process::Command;

use zfs_ffi::{
    BeginRecord, Core, Dataset, DatasetName, Error, Handle, NvList, NvRef, Properties, ResumeToken, SendOptions,
    SnapshotName,
};

/// Trait bounds as values: `Probe::<T>::SEND` is true only if `T: Send`.
struct Probe<T>(std::marker::PhantomData<T>);

trait NotSend {
    const SEND: bool = false;
}

trait NotSync {
    const SYNC: bool = false;
}

impl<T> NotSend for Probe<T> {}
impl<T> NotSync for Probe<T> {}

// Inherent items win over those of a trait, where their bounds hold.
impl<T: Send> Probe<T> {
    const SEND: bool = true;
}

impl<T: Sync> Probe<T> {
    const SYNC: bool = true;
}

#[test]
fn a_core_is_shared_between_threads() {
    const { assert!(Probe::<Core>::SEND && Probe::<Core>::SYNC) }
}

#[test]
fn a_handle_moves_between_threads_but_is_not_shared() {
    const { assert!(Probe::<Handle>::SEND && !Probe::<Handle>::SYNC) }
}

#[test]
fn a_dataset_stays_with_its_handle() {
    const { assert!(!Probe::<Dataset<'_>>::SEND && !Probe::<Dataset<'_>>::SYNC) }
}

#[test]
fn a_list_moves_between_threads_but_is_not_shared() {
    const { assert!(Probe::<NvList>::SEND && !Probe::<NvList>::SYNC) }
    const { assert!(!Probe::<NvRef<'_>>::SEND && !Probe::<NvRef<'_>>::SYNC) }
}

#[test]
fn plain_data_is_shared_between_threads() {
    const { assert!(Probe::<DatasetName>::SEND && Probe::<DatasetName>::SYNC) }
    const { assert!(Probe::<SnapshotName>::SEND && Probe::<SnapshotName>::SYNC) }
    const { assert!(Probe::<BeginRecord>::SEND && Probe::<BeginRecord>::SYNC) }
    const { assert!(Probe::<SendOptions>::SEND && Probe::<SendOptions>::SYNC) }
    const { assert!(Probe::<ResumeToken>::SEND && Probe::<ResumeToken>::SYNC) }
    const { assert!(Probe::<Properties>::SEND && Probe::<Properties>::SYNC) }
    const { assert!(Probe::<Error>::SEND && Probe::<Error>::SYNC) }
}

/// `libzfs` has another soname in almost every release; a program that is linked with it starts on one
/// of them only.
#[test]
fn the_program_is_not_linked_with_libzfs() {
    let program = env::current_exe().expect("a program knows its path");
    let Ok(output) = Command::new("readelf").arg("-d").arg(&program).output() else {
        eprintln!("skipped: link: there is no readelf");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let needed: Vec<_> = text.lines().filter(|line| line.contains("(NEEDED)")).collect();
    assert!(
        needed.iter().any(|line| line.contains("[libzfs_core.so.")),
        "{needed:#?}"
    );
    assert!(needed.iter().any(|line| line.contains("[libnvpair.so.")), "{needed:#?}");
    assert!(!needed.iter().any(|line| line.contains("[libzfs.so.")), "{needed:#?}");
}
