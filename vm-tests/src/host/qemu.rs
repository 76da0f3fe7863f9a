//! QEMU's command line, as pure functions.

use std::fmt;
use std::path::{Path, PathBuf};

/// What runs the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accel {
    Kvm,
    /// Emulation: works everywhere, ten times slower.
    Tcg,
}

impl fmt::Display for Accel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kvm => "KVM",
            Self::Tcg => "emulation (TCG)",
        })
    }
}

/// A way out of the guest and into it. Each is a port in the guest and a unix socket
/// of the same name in the machine's directory, to which QEMU connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    Control,
    Stdout,
    Stderr,
    /// A terminal in the guest (/dev/hvc0), unlike the others.
    Tty,
}

impl Port {
    pub const ALL: [Self; 4] = [Self::Control, Self::Stdout, Self::Stderr, Self::Tty];

    /// The name of its socket; in the guest it is `lab.<name>`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Tty => "tty",
        }
    }

    fn device(self) -> &'static str {
        match self {
            Self::Control | Self::Stdout | Self::Stderr => "virtserialport",
            Self::Tty => "virtconsole",
        }
    }
}

/// The file, in QEMU's working directory, with what the guest's kernel says.
pub const CONSOLE_LOG: &str = "console.log";

/// How a drive is used. `cache=unsafe` is right for all files: the host's page cache
/// survives the guest, and no drive outlives the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriveUse {
    /// Read from the file, writes go to a temporary file that nobody sees.
    Snapshot,
    ReadOnly,
    Writable,
    /// The file is the socket of a block server, to which flushes go, too.
    Served,
}

/// A drive of the guest. In the guest it is /dev/vda, vdb, … in the order of the list.
#[derive(Clone, Debug)]
pub struct Drive {
    /// Its serial number in the guest.
    pub serial: String,
    pub file: PathBuf,
    pub how: DriveUse,
}

/// One end of a cable between two guests: a unix socket on which one of them listens.
#[derive(Clone, Debug)]
pub struct Link {
    /// The socket, as seen from the machine's directory.
    pub socket: PathBuf,
    pub listens: bool,
    /// The last byte of the network card's address.
    pub card: u8,
}

/// All that QEMU is told.
#[derive(Clone, Debug)]
pub struct Spec {
    pub accel: Accel,
    pub cpus: u32,
    pub memory_mib: u32,
    pub kernel: PathBuf,
    pub initrd: PathBuf,
    pub drives: Vec<Drive>,
    pub link: Option<Link>,
}

impl Spec {
    /// The arguments of `qemu-system-x86_64`, to be run in the machine's directory.
    /// Paths to sockets are relative, since a unix socket's path is limited to 107 bytes.
    pub fn args(&self) -> Vec<String> {
        [
            base_args(),
            accel_args(self.accel),
            size_args(self.cpus, self.memory_mib),
            self.kernel_args(),
            self.drives.iter().flat_map(drive_args).collect(),
            self.link.iter().flat_map(link_args).collect(),
            port_args(),
        ]
        .concat()
    }

    fn kernel_args(&self) -> Vec<String> {
        strings(&[
            "-kernel",
            &self.kernel.to_string_lossy(),
            "-initrd",
            &self.initrd.to_string_lossy(),
            "-append",
            KERNEL_PARAMETERS,
        ])
    }
}

/// `panic=-1` with QEMU's `-no-reboot`: a guest that panics ends, instead of standing
/// there until the time is up. `mitigations=off`: they cost, and guard nobody here.
/// `net.ifnames=0`: the network card is eth0.
const KERNEL_PARAMETERS: &str = "root=/dev/vda rw rootfstype=ext4 init=/usr/local/sbin/lab-init \
     console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off random.trust_cpu=on net.ifnames=0";

fn base_args() -> Vec<String> {
    strings(&["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"])
}

fn accel_args(accel: Accel) -> Vec<String> {
    match accel {
        Accel::Kvm => strings(&["-accel", "kvm", "-cpu", "host"]),
        Accel::Tcg => strings(&["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max"]),
    }
}

fn size_args(cpus: u32, memory_mib: u32) -> Vec<String> {
    strings(&["-smp", &cpus.to_string(), "-m", &memory_mib.to_string()])
}

fn drive_args(drive: &Drive) -> Vec<String> {
    let Drive { serial, file, how } = drive;
    let file = escaped(file);
    let how = match how {
        DriveUse::Snapshot => format!("file={file},cache=unsafe,snapshot=on"),
        DriveUse::ReadOnly => format!("file={file},cache=unsafe,readonly=on"),
        DriveUse::Writable => format!("file={file},cache=unsafe,discard=unmap"),
        DriveUse::Served => format!("file=nbd:unix:{file},cache=writeback"),
    };
    strings(&[
        "-drive",
        &format!("format=raw,if=none,id={serial},{how}"),
        "-device",
        &format!("virtio-blk-pci,drive={serial},serial={serial}"),
    ])
}

/// Without `romfile=`, QEMU looks for a file to boot from the network with, which is in
/// a package of its own.
fn link_args(link: &Link) -> Vec<String> {
    let Link { socket, listens, card } = link;
    let path = escaped(socket);
    let server = if *listens { "on" } else { "off" };
    strings(&[
        "-netdev",
        &format!("stream,id=link,server={server},addr.type=unix,addr.path={path}"),
        "-device",
        &format!("virtio-net-pci,netdev=link,mac=52:54:00:00:00:{card:02x},romfile="),
    ])
}

/// A comma in a value is written twice.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

fn port_args() -> Vec<String> {
    let mut args = strings(&[
        "-serial",
        &format!("file:{CONSOLE_LOG}"),
        "-device",
        "virtio-serial-pci",
    ]);
    for port in Port::ALL {
        let (name, device) = (port.name(), port.device());
        args.extend(strings(&[
            "-chardev",
            &format!("socket,id={name},path={name}"),
            "-device",
            &format!("{device},chardev={name},name=lab.{name}"),
        ]));
    }
    args
}

fn strings(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(accel: Accel) -> Spec {
        let drive = |serial: &str, how| Drive {
            serial: serial.into(),
            file: format!("/d/{serial}.img").into(),
            how,
        };
        Spec {
            accel,
            cpus: 2,
            memory_mib: 4096,
            kernel: "/c/kernel".into(),
            initrd: "/c/initrd".into(),
            drives: vec![drive("root", DriveUse::Snapshot), drive("files", DriveUse::ReadOnly)],
            link: None,
        }
    }

    fn value_after(args: &[String], option: &str) -> String {
        let at = args.iter().position(|arg| arg == option).expect(option);
        args[at + 1].clone()
    }

    #[test]
    fn emulation_uses_all_processors() {
        let args = spec(Accel::Tcg).args();
        assert_eq!(value_after(&args, "-accel"), "tcg,thread=multi,tb-size=1024");
        assert_eq!(value_after(&args, "-smp"), "2");
    }

    #[test]
    fn kvm_gives_the_guest_the_host_processor() {
        let args = spec(Accel::Kvm).args();
        assert_eq!(value_after(&args, "-accel"), "kvm");
        assert_eq!(value_after(&args, "-cpu"), "host");
    }

    #[test]
    fn the_image_is_never_written_to() {
        let args = spec(Accel::Tcg).args();
        assert_eq!(
            value_after(&args, "-drive"),
            "format=raw,if=none,id=root,file=/d/root.img,cache=unsafe,snapshot=on"
        );
        assert!(
            args.iter()
                .any(|arg| arg.contains("id=files") && arg.ends_with("readonly=on"))
        );
    }

    #[test]
    fn a_served_drive_is_flushed() {
        let drive = Drive {
            serial: "x".into(),
            file: "disk".into(),
            how: DriveUse::Served,
        };
        assert_eq!(
            drive_args(&drive)[1],
            "format=raw,if=none,id=x,file=nbd:unix:disk,cache=writeback"
        );
    }

    #[test]
    fn a_comma_in_a_path_does_not_end_the_value() {
        let drive = Drive {
            serial: "x".into(),
            file: "/a,b.img".into(),
            how: DriveUse::Writable,
        };
        assert!(drive_args(&drive)[1].contains(",file=/a,,b.img,cache=unsafe"));
    }

    #[test]
    fn a_cable_has_two_different_ends() {
        let end = |listens, card| {
            let link = Link {
                socket: "../a,b/link".into(),
                listens,
                card,
            };
            link_args(&link)
        };
        let (one, other) = (end(true, 1), end(false, 2));
        assert_eq!(one[1], "stream,id=link,server=on,addr.type=unix,addr.path=../a,,b/link");
        assert!(other[1].contains("server=off"));
        assert_ne!(one[3], other[3]);
    }

    #[test]
    fn each_port_has_a_socket_of_its_name() {
        let args = spec(Accel::Tcg).args();
        for port in Port::ALL {
            let name = port.name();
            assert!(args.contains(&format!("socket,id={name},path={name}")));
            assert!(args.iter().any(|arg| arg.ends_with(&format!("name=lab.{name}"))));
        }
        assert!(args.contains(&"virtconsole,chardev=tty,name=lab.tty".to_owned()));
    }

    #[test]
    fn a_panic_ends_the_machine() {
        let args = spec(Accel::Tcg).args();
        assert!(value_after(&args, "-append").contains("panic=-1"));
        assert!(args.contains(&"-no-reboot".to_owned()));
    }
}
