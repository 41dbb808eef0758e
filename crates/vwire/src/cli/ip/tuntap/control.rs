//! `ip tuntap add` and `del`: makes and deletes devices that outlive the command.
//!
//! Called `vwire`, deleting looks up what was not said, and a device that is not there is an error. Called `ip` the
//! words must say it all, and a device that is not there is no error, as with `ip`; but where `ip` makes the device and
//! deletes it at once, nothing is made here.

use nix::unistd::{Group, User};
use vwire_netlink::wire::link::tun::Tun;
use vwire_tuntap::{Builder, ControlError, Device, DeviceName, Flags, Mode, OpenCause, OpenError, Persistence};

use super::obstacle;
use super::request::{Account, DeviceRequest, Verb, read};
use crate::cli::ip::failure::{EXIT_SEMANTIC, Failure};
use crate::cli::ip::words::{Words, shown};
use crate::cli::ip::{Ip, Persona};
use crate::lab::capability::{self, Capability};

/// Runs `ip tuntap add` or `del`.
///
/// # Errors
/// A wrong word, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    let tried = match verb {
        Verb::Add => "cannot make a device",
        Verb::Delete => "cannot delete a device",
    };
    let request = read(verb, words, number_of).map_err(|failure| failure.trying(tried))?;
    match verb {
        Verb::Add => add(ip, &request),
        Verb::Delete => delete(ip, &request),
    }
}

fn number_of(account: Account, name: &[u8]) -> Option<u32> {
    let name = std::str::from_utf8(name).ok()?;
    match account {
        Account::User => User::from_name(name).ok()?.map(|user| user.uid.as_raw()),
        Account::Group => Group::from_name(name).ok()?.map(|group| group.gid.as_raw()),
    }
}

fn add(ip: &mut Ip<'_>, request: &DeviceRequest) -> Result<(), Failure> {
    let mode = request.required_mode().map_err(|failure| match &request.name {
        Some(name) => failure.trying(format!("cannot make `{}`", shown(name))),
        None => failure.trying("cannot make a device"),
    })?;
    let tried = match &request.name {
        Some(name) => format!("cannot make the {mode} `{}`", shown(name)),
        None => format!("cannot make a {mode}"),
    };
    can_open(ip).map_err(|failure| failure.trying(tried.clone()))?;
    let name = match &request.name {
        Some(name) => kernel_name(name).map_err(|failure| failure.trying(tried.clone()))?,
        None => any_name(mode)?,
    };
    let asked = request.name.as_deref();
    if let (Some(name), true) = (asked, ip.wishes.if_absent || ip.wishes.replace)
        && let Some(link) = obstacle::link_named(ip, name)?
        && let Some(tun) = obstacle::tun_of(&link)
        && obstacle::mode_of(tun) == mode
        && (request.user.is_none() || request.user == tun.owner)
        && (request.group.is_none() || request.group == tun.group)
        && has_flags(tun, request.flags)
    {
        return Ok(());
    }
    if let (Some(name), true) = (asked, ip.wishes.replace)
        && obstacle::link_named(ip, name)?.is_some_and(|link| obstacle::tun_of(&link).is_some())
    {
        let any = DeviceRequest {
            mode: None,
            name: Some(name.to_vec()),
            flags: Flags::NO_PACKET_INFO,
            user: None,
            group: None,
        };
        delete_as_it_is(ip, &any).map_err(|failure| failure.trying(tried.clone()))?;
    }
    if let Some(rehearsal) = ip.rehearsal() {
        if asked.is_some_and(|name| rehearsal.device(name).is_some()) {
            let failure = Failure::new(EXIT_SEMANTIC, "", "there is a device of that name");
            return Err(failure.trying(tried));
        }
        rehearsal.add_device(asked, as_told(mode, request));
        return Ok(());
    }
    let device = match builder(mode, name, request.flags).create() {
        Ok(device) => device,
        Err(error) => {
            return Err(obstacle::explain(ip, obstacle::open_failure(&error), &error)?.trying(tried));
        }
    };
    if let Some(transaction) = ip.transaction() {
        transaction.note_made(device.name().to_string().as_bytes());
    }
    keep(&device, request).map_err(|error| control_failure(&error).trying(tried))?;
    if request.name.as_deref().is_none_or(|name| name.contains(&b'%')) && ip.persona == Persona::Vwire {
        ip.say(format!("made `{}`\n", device.name()).as_bytes());
    }
    Ok(())
}

/// Returns whether a device has the flags that are asked for.
fn has_flags(tun: &Tun, asked: Flags) -> bool {
    let has = super::show::flags_of(tun);
    let says = |flag| asked.contains(flag);
    [Flags::MULTI_QUEUE, Flags::VNET_HDR].into_iter().all(|flag| !says(flag) || has.contains(flag))
        && (says(Flags::NO_PACKET_INFO) || !has.contains(Flags::NO_PACKET_INFO))
}

/// Returns what netlink tells of a device that is made so.
fn as_told(mode: Mode, request: &DeviceRequest) -> Tun {
    let has = |flag| u8::from(request.flags.contains(flag));
    Tun {
        owner: request.user,
        group: request.group,
        r#type: Some(if mode == Mode::Tap { 2 } else { 1 }),
        pi: Some(1 - has(Flags::NO_PACKET_INFO)),
        vnet_hdr: Some(has(Flags::VNET_HDR)),
        persist: Some(1),
        multi_queue: Some(has(Flags::MULTI_QUEUE)),
        ..Tun::default()
    }
}

/// Sets who may open a device, and lets it outlive this process.
fn keep(device: &Device, request: &DeviceRequest) -> Result<(), ControlError> {
    if let Some(user) = request.user {
        device.set_owner(user)?;
    }
    if let Some(group) = request.group {
        device.set_group(group)?;
    }
    device.set_persistence(Persistence::Kept)
}

fn delete(ip: &mut Ip<'_>, request: &DeviceRequest) -> Result<(), Failure> {
    match ip.persona {
        Persona::Ip => delete_as_said(ip, request),
        Persona::Vwire => {
            let tried = match &request.name {
                Some(name) => format!("cannot delete `{}`", shown(name)),
                None => "cannot delete a device".to_owned(),
            };
            delete_as_it_is(ip, request).map_err(|failure| failure.trying(tried))
        }
    }
}

/// Deletes a device by what the words say of it, as `ip` does.
fn delete_as_said(ip: &mut Ip<'_>, request: &DeviceRequest) -> Result<(), Failure> {
    let mode = request.required_mode()?;
    can_open(ip)?;
    let name = match &request.name {
        Some(name) => kernel_name(name)?,
        None => any_name(mode)?,
    };
    match builder(mode, name, request.flags).attach() {
        Ok(device) => device.set_persistence(Persistence::Temporary).map_err(|error| control_failure(&error)),
        // `ip` makes the device and deletes it, for which it needs the privilege.
        Err(OpenError { cause: OpenCause::Missing, .. }) if capability::has(Capability::NetAdmin) => Ok(()),
        Err(OpenError { cause: OpenCause::Missing, .. }) => Err(Failure::new(
            EXIT_SEMANTIC,
            "ioctl(TUNSETIFF): Operation not permitted",
            "there is no such device here",
        )),
        Err(error) => Err(obstacle::open_failure(&error)),
    }
}

/// Deletes a device by what it is; what the words say of it must fit.
fn delete_as_it_is(ip: &mut Ip<'_>, request: &DeviceRequest) -> Result<(), Failure> {
    let Some(asked) = &request.name else {
        return Err(Failure::new(EXIT_SEMANTIC, "", "nothing says which device")
            .hint("`vwire tuntap` lists the TUN and TAP devices"));
    };
    let Some(link) = obstacle::link_named(ip, asked)? else { return Err(Failure::no_device(asked).of_subject()) };
    let own_name = link.ifname.as_ref().map(|name| name.as_bytes().to_vec()).unwrap_or_default();
    let name = kernel_name(&own_name)?;
    let Some(tun) = obstacle::tun_of(&link) else {
        return Err(Failure::new(EXIT_SEMANTIC, "ioctl(TUNSETIFF): Invalid argument", "it is neither a tun nor a tap")
            .hint(format!("`vwire link del {name}` deletes a device of any kind that can be deleted")));
    };
    if let Some(failure) = obstacle::mismatch(request, name, tun) {
        return Err(failure);
    }
    if let Some(rehearsal) = ip.rehearsal() {
        rehearsal.remove_device(link.index);
        return Ok(());
    }
    can_open(ip)?;
    if let Some(transaction) = ip.transaction() {
        transaction.note_link(link.index);
    }
    let flags = super::show::flags_of(tun).without(Flags::PERSIST);
    match builder(obstacle::mode_of(tun), name, flags).attach() {
        Ok(device) => {
            device.set_persistence(Persistence::Temporary).map_err(|error| control_failure(&error))?;
            drop(device);
            let holders = obstacle::holders_text(name);
            if !holders.is_empty() {
                ip.say(format!("hint: `{name}` goes when {holders} closes it\n").as_bytes());
            }
            Ok(())
        }
        Err(error) => {
            let failure = obstacle::explain(ip, obstacle::open_failure(&error), &error)?;
            Err(failure.hint(format!("`vwire link del {name}` deletes it all the same")))
        }
    }
}

fn builder(mode: Mode, name: DeviceName, flags: Flags) -> Builder {
    let builder = Builder::new(mode, name).flags(flags).leave_settings();
    if flags.contains(Flags::NO_PACKET_INFO) { builder } else { builder.packet_info() }
}

/// Opens /dev/net/tun for a moment: that it cannot be opened comes before all that could be wrong with a device.
fn can_open(ip: &mut Ip<'_>) -> Result<(), Failure> {
    let Err(errno) = vwire_tuntap::features() else { return Ok(()) };
    let error = OpenError {
        intent: vwire_tuntap::Intent::Attach,
        device: any_name(Mode::Tun)?,
        cause: OpenCause::Refused { call: "open /dev/net/tun", errno },
    };
    let failure = obstacle::open_failure(&error);
    Err(obstacle::explain(ip, failure, &error)?)
}

/// Returns a name by the kernel's rule, which forbids more than `ip` does.
fn kernel_name(name: &[u8]) -> Result<DeviceName, Failure> {
    DeviceName::from_bytes(name).map_err(|_| {
        Failure::new(
            EXIT_SEMANTIC,
            "ioctl(TUNSETIFF): Invalid argument",
            format!("`{}` is no device name", shown(name)),
        )
        .hint("a name has 1 to 15 bytes without `/`, `:` and blanks")
    })
}

/// Returns the pattern by which the kernel chooses a name.
fn any_name(mode: Mode) -> Result<DeviceName, Failure> {
    kernel_name(match mode {
        Mode::Tun => b"tun%d",
        Mode::Tap => b"tap%d",
    })
}

fn control_failure(error: &ControlError) -> Failure {
    Failure::new(
        EXIT_SEMANTIC,
        format!("ioctl({}): {}", error.call, error.errno),
        format!("{} ({})", error.errno, error.call),
    )
    .refused_with(Some(error.errno.0))
}
