//! Properties, native and user ones alike.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};

use super::Dataset;
use crate::error::{Op, Result};
use crate::nvlist::{NvList, NvRef, Value};
use crate::sys::{self, boolean_t, core as c};

/// Room for any property's value. Releases since 2.3 allow 8 KiB.
const VALUE_BUFFER: usize = 8192;

/// Properties by name, copied out of the C library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, Property>);

/// The value of a property, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The value.
    pub value: PropertyValue,
    /// Where it is set.
    pub source: Source,
}

/// A value as the kernel keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropertyValue {
    /// Text. Bytes that are not UTF-8 have been replaced.
    String(String),
    /// A number, also for properties that are shown as words: `readonly=on` is 1.
    U64(u64),
}

/// Where a property's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Set on the dataset itself.
    Local,
    /// Received with a stream.
    Received,
    /// Set on the dataset above that has this name.
    InheritedFrom(String),
    /// Set nowhere.
    Default,
    /// A statistic that cannot be set.
    None,
    /// Set for the time of the mount.
    Temporary,
}

impl Properties {
    /// The property, if it is there.
    pub fn get(&self, name: &str) -> Option<&Property> {
        self.0.get(name)
    }

    /// The value, if it is there and is text.
    pub fn str(&self, name: &str) -> Option<&str> {
        match &self.get(name)?.value {
            PropertyValue::String(text) => Some(text),
            PropertyValue::U64(_) => None,
        }
    }

    /// The value, if it is there and is a number.
    pub fn u64(&self, name: &str) -> Option<u64> {
        match self.get(name)?.value {
            PropertyValue::U64(number) => Some(number),
            PropertyValue::String(_) => None,
        }
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Property)> {
        self.0.iter().map(|(name, property)| (name.as_str(), property))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// From `{name -> {"value", "source"}}`.
    pub(crate) fn from_list(list: NvRef<'_>, dataset: &str) -> Self {
        Self::from_list_where(list, dataset, |_| true)
    }

    /// The same, of the properties whose name is wanted. A dataset has some seventy of them, and each costs a little.
    pub(crate) fn from_list_where(list: NvRef<'_>, dataset: &str, wanted: impl Fn(&str) -> bool) -> Self {
        let properties = list
            .iter()
            .filter(|(name, _)| wanted(name))
            .filter_map(|(name, entry)| {
                let (mut value, mut source) = (None, None);
                for (key, field) in entry.as_list()?.iter() {
                    match key {
                        "value" => value = PropertyValue::from_value(&field),
                        "source" => source = field.as_str(),
                        _ => {}
                    }
                }
                let source = Source::from_text(source, dataset);
                Some((name.to_owned(), Property { value: value?, source }))
            });
        Self(properties.collect())
    }
}

impl FromIterator<(String, Property)> for Properties {
    fn from_iter<I: IntoIterator<Item = (String, Property)>>(properties: I) -> Self {
        Self(properties.into_iter().collect())
    }
}

impl PropertyValue {
    fn from_value(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Str(text) => Some(Self::String((*text).to_owned())),
            Value::NotUtf8(bytes) => Some(Self::String(String::from_utf8_lossy(bytes).into_owned())),
            Value::U64(number) => Some(Self::U64(*number)),
            _ => None,
        }
    }
}

impl Source {
    /// The kernel tells the dataset where the value is set, `$recvd`, nothing, or has no such entry.
    fn from_text(text: Option<&str>, dataset: &str) -> Self {
        match text {
            None => Self::None,
            Some("") => Self::Default,
            Some("$recvd") => Self::Received,
            Some(text) if text == dataset => Self::Local,
            Some(text) => Self::InheritedFrom(text.to_owned()),
        }
    }

    fn from_number(number: c::zprop_source_t, place: &[c_char]) -> Self {
        match number {
            c::ZPROP_SRC_DEFAULT => Self::Default,
            c::ZPROP_SRC_TEMPORARY => Self::Temporary,
            c::ZPROP_SRC_LOCAL => Self::Local,
            c::ZPROP_SRC_INHERITED => Self::InheritedFrom(text_of(place)),
            c::ZPROP_SRC_RECEIVED => Self::Received,
            _ => Self::None,
        }
    }
}

impl Dataset<'_> {
    /// All properties that the kernel tells, native and user ones.
    ///
    /// N.B. a property that is at its default is not among them, and an inherited `mountpoint` is that
    /// of the ancestor; [`property`](Self::property) knows both.
    ///
    /// Corresponds to `zfs_get_all_props`.
    #[doc(alias = "zfs_get_all_props")]
    pub fn properties(&self) -> Result<Properties> {
        // SAFETY: the dataset's handle lives and keeps the list.
        let list = unsafe { self.functions().zfs_get_all_props(self.as_ptr()) };
        // SAFETY: the list stays until the next call on this dataset, which comes after the copy is
        // made; no other thread can come in between.
        Ok(unsafe { self.read_list(list) }.unwrap_or_default())
    }

    /// The user properties (`module:name`), inherited ones included.
    ///
    /// Corresponds to `zfs_get_user_props`.
    #[doc(alias = "zfs_get_user_props")]
    pub fn user_properties(&self) -> Result<Properties> {
        // SAFETY: the dataset's handle lives and keeps the list.
        let list = unsafe { self.functions().zfs_get_user_props(self.as_ptr()) };
        // SAFETY: as in `properties`.
        Ok(unsafe { self.read_list(list) }.unwrap_or_default())
    }

    /// The values that came with streams, in effect or not; `None` if none ever came.
    ///
    /// Corresponds to `zfs_get_recvd_props`.
    #[doc(alias = "zfs_get_recvd_props")]
    pub fn received_properties(&self) -> Result<Option<Properties>> {
        // SAFETY: the dataset's handle lives and keeps the list.
        let list = unsafe { self.functions().zfs_get_recvd_props(self.as_ptr()) };
        // SAFETY: as in `properties`.
        Ok(unsafe { self.read_list(list) })
    }

    /// # Safety
    ///
    /// `list` is null or stays unchanged during the call.
    unsafe fn read_list(&self, list: *mut sys::nvlist_t) -> Option<Properties> {
        // SAFETY: what the caller promises.
        let list = unsafe { NvRef::from_raw(list) }?;
        Some(Properties::from_list(list, self.name()))
    }

    /// One native property as `zfs get -p` shows it: with its default, and with words where the kernel
    /// has numbers. `None` if the dataset has no such property, or it is unset.
    ///
    /// Corresponds to `zfs_prop_get`.
    #[doc(alias = "zfs_prop_get")]
    pub fn property(&self, name: &str) -> Result<Option<Property>> {
        let name = self.c_string(Op::ReadProperties, name)?;
        // SAFETY: the name is NUL terminated. Numbers of properties differ between releases, hence the
        // question; an unknown name gives a negative number.
        let property = unsafe { self.functions().zfs_name_to_prop(name.as_ptr()) };
        if property < 0 {
            return Ok(None);
        }
        let mut value: [c_char; VALUE_BUFFER] = [0; VALUE_BUFFER];
        let mut place: [c_char; VALUE_BUFFER] = [0; VALUE_BUFFER];
        let mut source = c::ZPROP_SRC_NONE;
        // SAFETY: the dataset's handle lives; the property is one of the library's own; both buffers
        // have the size that is told; the source is stored in a variable of ours.
        let rc = unsafe {
            self.functions().zfs_prop_get(
                self.as_ptr(),
                property,
                value.as_mut_ptr(),
                VALUE_BUFFER,
                &raw mut source,
                place.as_mut_ptr(),
                VALUE_BUFFER,
                boolean_t::B_TRUE,
            )
        };
        if rc != 0 {
            return Ok(None);
        }
        let value = PropertyValue::String(text_of(&value));
        Ok(Some(Property {
            value,
            source: Source::from_number(source, &place),
        }))
    }

    /// Sets properties, native and user ones, from text as `zfs set` takes it.
    ///
    /// All of them in one transaction group, which this waits for. What follows from them (a remount, a
    /// share) is done too.
    ///
    /// # Errors
    ///
    /// N.B. the error may be about what follows: for `readonly=on` with files open for writing `libzfs`
    /// says that mounting failed ([`Mount`](crate::Kind::Mount)) *although the properties are set*.
    /// After any error open or [`refresh`](Self::refresh) the dataset and look.
    ///
    /// Corresponds to `zfs_prop_set_list`.
    #[doc(alias = "zfs_prop_set_list")]
    pub fn set(&self, props: &[(&str, &str)]) -> Result<()> {
        if props.is_empty() {
            return Ok(());
        }
        let mut list = NvList::new();
        for (name, value) in props {
            list.add(name, *value)?;
        }
        self.handle.forget_error();
        // SAFETY: the dataset's handle lives; the list is only read.
        let rc = unsafe { self.functions().zfs_prop_set_list(self.as_ptr(), list.as_ptr()) };
        self.check(Op::SetProperties, rc)
    }

    /// Unsets a property, so that it is inherited or at its default; with `received` it goes back to
    /// the received value if there is one. Waits for one transaction group.
    ///
    /// Corresponds to `zfs_prop_inherit`.
    #[doc(alias = "zfs_prop_inherit")]
    pub fn inherit(&self, name: &str, received: bool) -> Result<()> {
        let name = self.c_string(Op::Inherit, name)?;
        let (raw, received) = (self.as_ptr(), sys::boolean(received));
        self.handle.forget_error();
        // SAFETY: the dataset's handle lives; the name is NUL terminated.
        let rc = unsafe { self.functions().zfs_prop_inherit(raw, name.as_ptr(), received) };
        self.check(Op::Inherit, rc)
    }
}

fn text_of(buffer: &[c_char]) -> String {
    let bytes: Vec<u8> = buffer.iter().map(|byte| *byte as u8).collect();
    CStr::from_bytes_until_nul(&bytes)
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
