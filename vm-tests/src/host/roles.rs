//! What a guest is in its run: the only one, or one of two on a cable.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use super::qemu::{Drive, DriveUse, Link};
use super::session::{Shell, Wish, quote};
use super::terminal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Both pools, no network.
    Only,
    /// Pool `src`; runs the script.
    Alpha,
    /// Pool `dst`; does what it is told over ssh.
    Beta,
}

const DISK_BYTES: u64 = 8 << 30;

/// The socket of the cable, in alpha's directory.
const CABLE: &str = "cable";

impl Role {
    /// The roles in a run with so many hosts; the first one runs the script.
    pub fn among(hosts: u32) -> &'static [Self] {
        match hosts {
            1 => &[Self::Only],
            _ => &[Self::Alpha, Self::Beta],
        }
    }

    /// The name of its host, if the run gives it one.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Only => None,
            Self::Alpha => Some("alpha"),
            Self::Beta => Some("beta"),
        }
    }

    fn pools(self) -> &'static [&'static str] {
        match self {
            Self::Only => &["src", "dst"],
            Self::Alpha => &["src"],
            Self::Beta => &["dst"],
        }
    }

    /// Blank disks, one for each pool, in DIR.
    pub fn disks(self, dir: &Path) -> Result<Vec<Drive>> {
        let disk = |pool: &&str| {
            let file = dir.join(format!("{pool}.img"));
            let blank = std::fs::File::create(&file)?;
            blank.set_len(DISK_BYTES).context("a disk for the guest")?;
            Ok(Drive {
                serial: format!("lab-{pool}"),
                file,
                how: DriveUse::Writable,
            })
        };
        self.pools().iter().map(disk).collect()
    }

    /// Its end of the cable. ALPHA is the directory of the one that listens, beside
    /// which all others are: the path stays short that way, whatever is above both.
    pub fn link(self, alpha: &Path) -> Option<Link> {
        let beside = || Path::new("..").join(alpha.file_name().unwrap_or_default()).join(CABLE);
        match self {
            Self::Only => None,
            Self::Alpha => Some(Link {
                socket: CABLE.into(),
                listens: true,
                card: 1,
            }),
            Self::Beta => Some(Link {
                socket: beside(),
                listens: false,
                card: 2,
            }),
        }
    }

    /// Where the cable can be plugged in, as soon as alpha's QEMU listens.
    pub fn cable(alpha: &Path) -> PathBuf {
        alpha.join(CABLE)
    }

    /// The guest's settings, as shell assignments; read by `guest/init`.
    pub fn config(self, wish: &Wish) -> Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let name = self.name().unwrap_or(wish.guest.name);
        let pools = if wish.pools { self.pool_words() } else { String::new() };
        let awaited = if wish.alone { "" } else { "$LAB_PEER" };
        Ok(format!(
            "LAB_HOSTNAME={name}\nLAB_NOW={now}\nLAB_POOLS='{pools}'\n{}LAB_AWAIT={awaited}\n{}",
            self.network(),
            self.shell(wish)
        ))
    }

    /// The disks of the pools are the first ones behind the root's.
    fn pool_words(self) -> String {
        let word = |(pool, letter)| format!("{pool}:/dev/vd{letter}");
        self.pools().iter().zip('b'..).map(word).collect::<Vec<_>>().join(" ")
    }

    /// The addresses stand in `guest/etc/hosts`, too.
    fn network(self) -> &'static str {
        match self {
            Self::Only => "",
            Self::Alpha => "LAB_ADDRESS=10.73.0.1/24\nLAB_PEER=beta\n",
            Self::Beta => "LAB_ADDRESS=10.73.0.2/24\nLAB_PEER=alpha\n",
        }
    }

    fn shell(self, wish: &Wish) -> String {
        let shell = match wish.shell {
            _ if self == Self::Beta => "never",
            Shell::Never => "never",
            Shell::Failure => "failure",
            Shell::Always => "always",
        };
        let (rows, columns) = terminal::size();
        let term = std::env::var("TERM").unwrap_or_else(|_| "linux".to_owned());
        let term = quote(&term);
        format!("LAB_SHELL={shell}\nLAB_ROWS={rows}\nLAB_COLS={columns}\nLAB_TERM={term}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::super::guests::Guest;
    use super::*;

    fn wish() -> Wish {
        Wish::new(Guest::by_name("debian13").unwrap())
    }

    #[test]
    fn the_config_says_what_was_wished() {
        let wish = Wish {
            pools: false,
            shell: Shell::Failure,
            ..wish()
        };
        let text = Role::Only.config(&wish).unwrap();
        assert!(text.contains("LAB_HOSTNAME=debian13\n"));
        assert!(text.contains("LAB_POOLS=''\n"));
        assert!(text.contains("LAB_SHELL=failure\n"));
    }

    #[test]
    fn two_hosts_have_a_pool_each_and_one_alone_has_both() {
        let pools = |role: Role| {
            let text = role.config(&wish()).unwrap();
            let line = text.lines().find(|line| line.starts_with("LAB_POOLS=")).unwrap();
            line.to_owned()
        };
        assert_eq!(pools(Role::Only), "LAB_POOLS='src:/dev/vdb dst:/dev/vdc'");
        assert_eq!(pools(Role::Alpha), "LAB_POOLS='src:/dev/vdb'");
        assert_eq!(pools(Role::Beta), "LAB_POOLS='dst:/dev/vdb'");
    }

    #[test]
    fn addresses_are_those_of_the_hosts_file() {
        let hosts = include_str!("../../guest/etc/hosts");
        for role in Role::among(2) {
            let (_, address) = role.network().split_once('=').unwrap();
            let address = address.split('/').next().unwrap();
            assert!(hosts.contains(&format!("{address}\t{}\n", role.name().unwrap())));
        }
    }

    #[test]
    fn both_ends_of_the_cable_are_one_socket() {
        let alpha = Path::new("/tmp/run.0");
        let far = Role::Beta.link(alpha).unwrap().socket;
        assert_eq!(far, Path::new("../run.0/cable"));
        assert_eq!(Role::cable(alpha), Path::new("/tmp/run.0/cable"));
    }
}
