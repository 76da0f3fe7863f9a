//! The other machines of one run: each is dialled once, and then kept.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::host::remote::line::Listener;
use crate::host::remote::{Dial, NoSession, Remote, SshDial};
use crate::host::shell::Shell;
use crate::host::told::Told;
use crate::host::{Error, Host};
use crate::hostname::HostName;
use crate::relay::Way;
use crate::settings::Settings;
use crate::ui;
use crate::wire::frame::VERSION;
use crate::wire::message::Hello;

/// A machine of a pairing.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Its ZFS.
    pub host: Arc<dyn Host>,
    /// The name that it has in pairings.
    pub name: String,
}

/// How other machines are dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How streams travel.
    pub way: Way,
    /// The terminal's ^C must not reach ssh: a loop ends after its step.
    pub apart: bool,
    /// Tell what is asked of them (`-D`).
    pub debug: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            way: Way::PLAIN,
            apart: false,
            debug: false,
        }
    }
}

/// All that were needed so far.
pub struct Peers {
    known: Mutex<BTreeMap<HostName, Machine>>,
    options: Options,
    listener: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers")
            .field("known", &self.known)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Peers {
    /// None so far. What they have to say goes to `listener`.
    pub fn new(options: Options, listener: Listener) -> Self {
        Self {
            known: Mutex::default(),
            options,
            listener,
        }
    }

    /// From now on `host` is this machine, however it is reached.
    pub fn know(&self, host: HostName, machine: Machine) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(host, machine);
    }

    /// The machine of this name. A machine without a zrep that serves is used through its plain `zfs` command.
    ///
    /// # Errors
    ///
    /// It is out of reach, or its zrep refuses the session.
    pub fn get(&self, host: &HostName, settings: &Settings) -> Result<Machine, Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(machine) = known.get(host) {
            return Ok(machine.clone());
        }
        let machine = if settings.plain_peer {
            self.plain(host, settings)
        } else {
            self.dialled(host, settings)?
        };
        let machine = if self.options.debug { told(machine) } else { machine };
        known.insert(host.clone(), machine.clone());
        Ok(machine)
    }

    fn dialled(&self, host: &HostName, settings: &Settings) -> Result<Machine, Error> {
        let remote = Remote::new(self.dial(host, settings), hello(settings), self.options.way.clone());
        match remote.connect() {
            Ok(welcome) => Ok(Machine {
                host: Arc::new(remote),
                name: welcome.host,
            }),
            Err(NoSession::Failed(error)) => Err(error),
            Err(NoSession::WithoutZrep(error)) => {
                (self.listener)(&format!(
                    "{error}; going on with the plain zfs command there, which is slower."
                ));
                Ok(self.plain(host, settings))
            }
        }
    }

    fn dial(&self, host: &HostName, settings: &Settings) -> Box<dyn Dial> {
        let (listener, name) = (Arc::clone(&self.listener), host.to_string());
        let labelled = move |line: &str| listener(&format!("{name}: {line}"));
        Box::new(SshDial::new(
            settings.ssh.clone(),
            host.clone(),
            self.options.apart,
            Arc::new(labelled),
        ))
    }

    /// N.B. nobody there says what it is called in pairings, so it is called what it was called here, without the user.
    fn plain(&self, host: &HostName, settings: &Settings) -> Machine {
        let name = host.as_str().rsplit('@').next().unwrap_or(host.as_str()).to_owned();
        let shell = Shell::new(settings.ssh.clone(), host.clone(), settings.patience);
        let shell = if self.options.apart { shell.apart() } else { shell };
        Machine {
            host: Arc::new(shell),
            name,
        }
    }
}

fn told(machine: Machine) -> Machine {
    let host = Told::new(machine.name.clone(), machine.host, Arc::new(ui::debug));
    Machine {
        host: Arc::new(host),
        ..machine
    }
}

fn hello(settings: &Settings) -> Hello {
    Hello {
        oldest: VERSION,
        newest: VERSION,
        zrep: env!("ZREP_VERSION").into(),
        host: settings.me.host.clone(),
        tag: settings.me.tag.to_string(),
        patience: u32::try_from(settings.patience.as_secs()).unwrap_or(u32::MAX).max(1),
    }
}
