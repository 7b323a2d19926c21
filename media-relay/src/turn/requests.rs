//! Requests and their answers, a function for each method. PURE.

use super::access::Asker;
use super::allocation::Bounds;
use super::refusal::Refusal;
use super::wire::{Class, Message, attribute, method};
use super::writer::Writer;
use super::{AllocationId, At, Client, Command, Family, Turn};
use std::net::IpAddr;
use std::time::Duration;

/// What is granted at least, whatever was asked for (RFC 8656 section 7.2).
const LIFETIME_MIN_S: u32 = 600;
const LIFETIME_MAX_S: u32 = 3_600;
/// Channel numbers: RFC 8656 ends at 0x4FFF, RFC 5766 before it at 0x7FFE; clients of both exist.
const CHANNEL_NUMBERS: std::ops::RangeInclusive<u16> = 0x4000..=0x7FFF;

/// A success, or none yet: the sockets are being opened.
pub(super) type Outcome = Result<Option<Writer>, Refusal>;

impl Turn {
    /// Answers a request, or asks for what is needed to do so.
    pub(super) fn request(
        &mut self,
        client: Client,
        message: &Message<'_>,
        at: At,
        out: &mut Vec<Command>,
    ) {
        let fingerprint = message.fingerprint.is_some();
        let (signed, outcome) = match message.method {
            method::BINDING => (None, binding(client, message).map(Some)),
            method::ALLOCATE
            | method::REFRESH
            | method::CREATE_PERMISSION
            | method::CHANNEL_BIND => match self.asker(client, message, at) {
                Ok(asker) => {
                    let outcome =
                        sound(message).and_then(|()| self.of_asker(&asker, message, at, out));
                    (Some(asker.signed), outcome)
                }
                Err(refusal) => (None, Err(refusal)),
            },
            _ => (None, Err(Refusal::BadRequest)),
        };
        let answer = match outcome {
            Ok(Some(answer)) => answer,
            Ok(None) => return,
            Err(refusal) => {
                let answer = self.refused(refusal, message);
                // Not proved: how to get in. Proved ones had a right nonce.
                if signed.is_none() { self.challenge(answer, refusal, &client, at) } else { answer }
            }
        };
        out.push(Command::Answer { client, bytes: answer.finish(signed.as_ref(), fingerprint) });
    }

    fn of_asker(
        &mut self,
        asker: &Asker<'_>,
        message: &Message<'_>,
        at: At,
        out: &mut Vec<Command>,
    ) -> Outcome {
        match message.method {
            method::ALLOCATE => self.allocate(asker, message, at, out),
            method::REFRESH => self.refresh(asker, message, at, out).map(Some),
            method::CREATE_PERMISSION => self.create_permission(asker, message, at).map(Some),
            method::CHANNEL_BIND => self.channel_bind(asker, message, at).map(Some),
            _ => Err(Refusal::BadRequest),
        }
    }

    /// The asker's own allocation.
    fn own(&self, asker: &Asker<'_>) -> Result<AllocationId, Refusal> {
        let id = self.table.id_of(&asker.client).ok_or(Refusal::AllocationMismatch)?;
        match self.table.allocation(id) {
            Some(allocation) if allocation.is_pending() => Err(Refusal::AllocationMismatch),
            Some(allocation) if &*allocation.name != asker.name => Err(Refusal::WrongCredentials),
            Some(_) => Ok(id),
            None => Err(Refusal::AllocationMismatch),
        }
    }

    /// RFC 8656 section 7.2. With a family only that one of two is meant.
    fn refresh(
        &mut self,
        asker: &Asker<'_>,
        message: &Message<'_>,
        at: At,
        out: &mut Vec<Command>,
    ) -> Result<Writer, Refusal> {
        let id = self.own(asker)?;
        let family = match message.family {
            None => None,
            Some(number) => {
                let family = Family::from_number(number).ok_or(Refusal::PeerFamilyMismatch)?;
                let serves = |a: &super::allocation::Allocation| a.serves(family, at.now);
                if !self.table.allocation(id).is_some_and(serves) {
                    return Err(Refusal::PeerFamilyMismatch);
                }
                Some(family)
            }
        };
        let lifetime_s = match message.lifetime_s {
            Some(0) => 0,
            wish => granted_s(wish, asker, at),
        };
        if lifetime_s == 0 {
            self.give_back(id, family, out);
        } else if let Some(allocation) = self.table.allocation_mut(id) {
            allocation.prolong(family, at.now + Duration::from_secs(lifetime_s.into()));
            self.table.due_again(id);
        }
        let answer = Writer::answer(message, Class::Success);
        Ok(answer.number(attribute::LIFETIME, lifetime_s))
    }

    /// RFC 8656 section 10.2: all peers or none.
    fn create_permission(
        &mut self,
        asker: &Asker<'_>,
        message: &Message<'_>,
        at: At,
    ) -> Result<Writer, Refusal> {
        let id = self.own(asker)?;
        let bounds = self.bounds();
        let allocation = self.table.allocation_mut(id).ok_or(Refusal::AllocationMismatch)?;
        let mut ips: Vec<IpAddr> = Vec::new();
        for peer in message.peers() {
            if !allocation.serves(Family::of(peer), at.now) {
                return Err(Refusal::PeerFamilyMismatch);
            }
            if !self.peers.may_be_permitted(peer.ip()) {
                return Err(Refusal::Forbidden);
            }
            if !ips.contains(&peer.ip()) {
                ips.push(peer.ip());
            }
            if ips.len() > bounds.permissions_max {
                return Err(Refusal::InsufficientCapacity);
            }
        }
        if ips.is_empty() {
            return Err(Refusal::BadRequest);
        }
        allocation.permit(&ips, bounds, at.now)?;
        Ok(Writer::answer(message, Class::Success))
    }

    /// RFC 8656 section 12.2.
    fn channel_bind(
        &mut self,
        asker: &Asker<'_>,
        message: &Message<'_>,
        at: At,
    ) -> Result<Writer, Refusal> {
        let id = self.own(asker)?;
        let bounds = self.bounds();
        let allocation = self.table.allocation_mut(id).ok_or(Refusal::AllocationMismatch)?;
        let (Some(number), Some(peer)) = (message.channel, message.peer) else {
            return Err(Refusal::BadRequest);
        };
        if !CHANNEL_NUMBERS.contains(&number) {
            return Err(Refusal::BadRequest);
        }
        if !allocation.serves(Family::of(peer), at.now) {
            return Err(Refusal::PeerFamilyMismatch);
        }
        let reach = self.peers.reach(peer).ok_or(Refusal::Forbidden)?;
        allocation.bind(number, peer, reach, bounds, at.now)?;
        Ok(Writer::answer(message, Class::Success))
    }

    fn bounds(&self) -> Bounds {
        let (permissions_max, channels_max) =
            (self.config.permissions_max, self.config.channels_max);
        Bounds { permissions_max, channels_max }
    }

    /// An error answer; the reason's number says all.
    pub(super) fn refused(&mut self, refusal: Refusal, message: &Message<'_>) -> Writer {
        self.refusals.add(refusal);
        let answer = Writer::answer(message, Class::Error).error(refusal.code());
        match refusal {
            Refusal::UnknownAttribute => answer.unknown(message.unknown()),
            _ => answer,
        }
    }

    /// Realm and a fresh nonce, where they help.
    fn challenge(&self, answer: Writer, refusal: Refusal, client: &Client, at: At) -> Writer {
        if !matches!(refusal, Refusal::Unauthenticated | Refusal::StaleNonce) {
            return answer;
        }
        let nonce = self.nonces.make(client, at.unix_s);
        answer
            .put(attribute::REALM, self.config.realm.as_bytes())
            .put(attribute::NONCE, nonce.as_bytes())
    }
}

/// RFC 8489 section 12: tells anybody the address that it comes from.
fn binding(client: Client, message: &Message<'_>) -> Result<Writer, Refusal> {
    sound(message)?;
    let answer = Writer::answer(message, Class::Success);
    Ok(answer.address(attribute::XOR_MAPPED_ADDRESS, client.address()))
}

/// Whether all attributes were understood and of their form.
fn sound(message: &Message<'_>) -> Result<(), Refusal> {
    if !message.unknown().is_empty() {
        return Err(Refusal::UnknownAttribute);
    }
    if message.malformed { Err(Refusal::BadRequest) } else { Ok(()) }
}

/// The lifetime for a wish: not beyond the credential by more than the least lifetime.
pub(super) fn granted_s(wish_s: Option<u32>, asker: &Asker<'_>, at: At) -> u32 {
    let rest_s = asker.expires_unix_s.saturating_sub(at.unix_s);
    let rest_s = u32::try_from(rest_s).unwrap_or(u32::MAX);
    wish_s.unwrap_or(LIFETIME_MIN_S).min(rest_s).clamp(LIFETIME_MIN_S, LIFETIME_MAX_S)
}
