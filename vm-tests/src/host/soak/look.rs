//! What a side of the pair says that it is, read from its pool by `zfs`, not by zrep.

use std::fmt;

use anyhow::{Result, bail, ensure};

/// The properties that are read, in one go.
pub const PROPERTIES: &str = "zrep:master,zrep:epoch,zrep:intent,zrep:fenced,zrep:lock-pid,readonly,mounted,origin";

/// A dataset's role, as far as it stands on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Set on the dataset itself. What a stream brought, or a parent has, does not count.
    pub master: bool,
    pub epoch: u64,
    pub intent: Option<String>,
    pub fenced: Option<String>,
    pub locked: bool,
    pub readonly: bool,
    pub mounted: bool,
    /// It stands on another dataset's snapshot.
    pub clone: bool,
}

impl View {
    /// Reads `property<tab>value<tab>source` lines.
    pub fn parse(lines: &[String]) -> Result<Self> {
        let mut view = Self::default();
        for line in lines {
            let [property, value, source] = line.split('\t').collect::<Vec<_>>()[..] else {
                bail!("a line of `zfs get`: {line:?}");
            };
            let own = (source == "local").then(|| value.to_owned());
            match property {
                "zrep:master" => view.master = own.as_deref() == Some("yes"),
                "zrep:epoch" => view.epoch = own.map_or(Ok(0), |text| text.parse())?,
                "zrep:intent" => view.intent = own,
                "zrep:fenced" => view.fenced = own,
                "zrep:lock-pid" => view.locked = own.is_some(),
                "readonly" => view.readonly = value == "on",
                "mounted" => view.mounted = value == "yes",
                "origin" => view.clone = value != "-",
                _ => bail!("nobody asked for {property}"),
            }
        }
        ensure!(lines.len() == PROPERTIES.split(',').count(), "properties are missing");
        Ok(view)
    }

    /// Whether it takes writes, by its own account.
    pub fn is_writable(&self) -> bool {
        self.master && !self.readonly
    }

    /// A master that can be worked with, whatever the other side is.
    pub fn leads(&self) -> bool {
        self.is_writable() && self.mounted && self.is_at_rest()
    }

    /// A master that its boot has left read-only, until its peer can be asked.
    pub fn waits_at_gate(&self) -> bool {
        let gated = self.intent.as_deref().is_some_and(|intent| intent.starts_with("gated"));
        self.master && self.fenced.is_none() && gated
    }

    /// Nothing is under way, and nothing is in doubt.
    fn is_at_rest(&self) -> bool {
        self.intent.is_none() && self.fenced.is_none() && !self.locked
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            master,
            epoch,
            intent,
            fenced,
            locked,
            readonly,
            mounted,
            clone: _,
        } = self;
        let word = |is: bool, text: &str| if is { format!(" {text}") } else { String::new() };
        let value = |name: &str, of: &Option<String>| of.as_ref().map_or_else(String::new, |v| format!(" {name}[{v}]"));
        write!(
            f,
            "{} e{epoch}{}{}{}{}{}",
            if *master { "master" } else { "replica" },
            word(*master && *readonly, "read-only"),
            word(!*master && !*readonly, "NOT read-only"),
            word(*master && !*mounted, "not mounted"),
            value("intent", intent),
            value("fenced", fenced),
        )?;
        write!(f, "{}", word(*locked, "locked"))
    }
}

/// Both sides at one moment; none where there is no dataset.
#[derive(Clone, Debug)]
pub struct Views(pub [Option<View>; 2]);

impl Views {
    /// P1: at most one side takes writes; if the change was forced, at most one per epoch.
    pub fn one_writer(&self, forced: bool) -> Result<(), String> {
        let [Some(alpha), Some(beta)] = &self.0 else {
            return Ok(());
        };
        let both = alpha.is_writable() && beta.is_writable();
        if both && !(forced && alpha.epoch != beta.epoch) {
            return Err(format!("P1: both sides can be written to: {self}"));
        }
        Ok(())
    }

    /// A master that waits at its gate, although the other one has a lower epoch, or is none.
    pub fn closed_without_need(&self) -> bool {
        let [Some(alpha), Some(beta)] = &self.0 else {
            return false;
        };
        let needless = |one: &View, other: &View| one.waits_at_gate() && one.epoch >= other.epoch;
        needless(alpha, beta) || needless(beta, alpha)
    }

    /// Whether the pair is as it should be, with this side as its master.
    pub fn at_rest_with(&self, master: usize) -> bool {
        let [Some(new), Some(old)] = [&self.0[master], &self.0[1 - master]] else {
            return false;
        };
        new.leads() && !old.master && old.readonly && old.is_at_rest() && new.epoch == old.epoch
    }
}

impl fmt::Display for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, view)) in ["alpha", "beta"].iter().zip(&self.0).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            match view {
                Some(view) => write!(f, "{comma}{name} {view}")?,
                None => write!(f, "{comma}{name} absent")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &str) -> View {
        let mut lines: Vec<String> = PROPERTIES.split(',').map(|name| format!("{name}\t-\t-")).collect();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let (name, value) = word.split_once('=').unwrap();
            let line = lines.iter_mut().find(|line| line.starts_with(name)).unwrap();
            *line = format!("{name}\t{value}\tlocal");
        }
        View::parse(&lines).unwrap()
    }

    #[test]
    fn a_master_is_one_by_its_own_property() {
        assert!(view("zrep:master=yes zrep:epoch=3").is_writable());
        let lines: Vec<String> = PROPERTIES
            .split(',')
            .map(|name| format!("{name}\tyes\treceived"))
            .collect();
        assert!(!View::parse(&lines).unwrap().master);
    }

    #[test]
    fn two_writers_are_two_too_many_unless_one_was_forced_and_knows_better() {
        let both = |one: &str, two: &str| Views([Some(view(one)), Some(view(two))]);
        let old = "zrep:master=yes zrep:epoch=1 mounted=yes";
        let new = "zrep:master=yes zrep:epoch=2 mounted=yes";
        assert!(both(old, new).one_writer(true).is_ok());
        assert!(both(old, new).one_writer(false).is_err());
        assert!(both(old, old).one_writer(true).is_err());
        let settled = both("readonly=on zrep:epoch=2", new);
        assert!(settled.one_writer(false).is_ok() && settled.at_rest_with(1) && !settled.at_rest_with(0));
        assert!(!both("readonly=on zrep:epoch=2 zrep:intent=x", new).at_rest_with(1));
    }

    #[test]
    fn only_a_higher_epoch_keeps_a_gate_closed() {
        let gated = "zrep:master=yes readonly=on zrep:intent=gated zrep:epoch=";
        let views = |epoch: &str| {
            Views([
                Some(view(&format!("{gated}{epoch}"))),
                Some(view("zrep:master=yes zrep:epoch=2")),
            ])
        };
        assert!(views("3").closed_without_need());
        assert!(!views("1").closed_without_need());
    }
}
