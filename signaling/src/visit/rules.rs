//! The rules of a consultation, and how its events change it.

use super::{
    Command, Event, LINES_MAX, Line, ORDERS_MAX, Order, PARTIES_MAX, Party, Side, TEXT_CHARS_MAX,
    Visit,
};
use minato_protocol::act::IdentityMethod;
use minato_protocol::{Code, Pii, Timestamp};

type Decided = Result<Vec<Event>, Code>;

pub(super) fn decide(visit: &Visit, command: &Command) -> Decided {
    if let Command::Open { room, ticket, subject } = command {
        let papers = Some((*room, *ticket, *subject));
        let event = Event::Opened { room: *room, ticket: *ticket, subject: *subject };
        return match visit.papers {
            None => Ok(vec![event]),
            standing if standing == papers => Ok(Vec::new()),
            Some(_) => Err(Code::VisitUnknown),
        };
    }
    if visit.papers.is_none() {
        return Err(Code::VisitUnknown);
    }
    if visit.closed {
        return after_the_end(visit, command);
    }
    if visit.wrong_patient && is_about_the_patient(command) {
        return Err(Code::Quarantined);
    }
    match command {
        Command::Open { .. } => Ok(Vec::new()),
        Command::Enter(party) => enter(visit, party),
        Command::Exit { participant } => {
            let here = visit.parties.iter().any(|party| party.participant == *participant);
            Ok(when(here, Event::Exited { participant: *participant }))
        }
        Command::ConfirmIdentity { side: Side::Doctor, method: IdentityMethod::Spoken } => {
            Err(Code::FieldWrong)
        }
        Command::ConfirmIdentity { side, method } => {
            Ok(vec![Event::IdentityConfirmed { side: *side, method: *method }])
        }
        Command::Defer { reason } => {
            readable(reason).map(|()| vec![Event::Deferred { reason: reason.clone() }])
        }
        Command::Consent { version, explained_by, language } => Ok(vec![Event::Consented {
            version: *version,
            explained_by: explained_by.clone(),
            language: *language,
        }]),
        Command::WriteOrder { text } => write_order(visit, text),
        Command::ReadBack { order } => {
            let known = order_of(visit, *order)?;
            Ok(when(known.read_back.is_none(), Event::OrderReadBack { order: *order }))
        }
        Command::FinishOrder { order } => {
            let known = order_of(visit, *order)?;
            known.read_back.ok_or(Code::ReadBackFirst)?;
            Ok(when(known.done.is_none(), Event::OrderFinished { order: *order }))
        }
        Command::Say { from, role, text } => {
            readable(text)?;
            if visit.lines.len() >= LINES_MAX {
                return Err(Code::TooMany);
            }
            let seq = number_after(visit.lines.len());
            Ok(vec![Event::Said { seq, from: *from, role: *role, text: text.clone() }])
        }
        Command::GoAudioOnly { reason } => {
            readable(reason).map(|()| vec![Event::WentAudioOnly { reason: reason.clone() }])
        }
        Command::RaiseEmergency => Ok(when(visit.emergency.is_none(), Event::EmergencyRaised)),
        Command::MarkWrongPatient => Ok(when(!visit.wrong_patient, Event::WrongPatientMarked)),
        Command::Close { disposition, note } => {
            Ok(vec![Event::Closed { disposition: *disposition, note: note.clone() }])
        }
    }
}

/// What was too late changes nothing; what a retry repeats is no mistake.
fn after_the_end(visit: &Visit, command: &Command) -> Decided {
    match command {
        Command::Exit { participant } => {
            let here = visit.parties.iter().any(|party| party.participant == *participant);
            Ok(when(here, Event::Exited { participant: *participant }))
        }
        Command::Close { .. } => Ok(Vec::new()),
        Command::Open { .. }
        | Command::Enter(_)
        | Command::ConfirmIdentity { .. }
        | Command::Defer { .. }
        | Command::Consent { .. }
        | Command::WriteOrder { .. }
        | Command::ReadBack { .. }
        | Command::FinishOrder { .. }
        | Command::Say { .. }
        | Command::GoAudioOnly { .. }
        | Command::RaiseEmergency
        | Command::MarkWrongPatient => Err(Code::VisitOver),
    }
}

/// Once this was another person, nothing more is settled or ordered under this name; whoever is
/// there may still talk, call for help, leave and close.
fn is_about_the_patient(command: &Command) -> bool {
    match command {
        Command::ConfirmIdentity { .. }
        | Command::Defer { .. }
        | Command::Consent { .. }
        | Command::WriteOrder { .. }
        | Command::ReadBack { .. }
        | Command::FinishOrder { .. } => true,
        Command::Open { .. }
        | Command::Enter(_)
        | Command::Exit { .. }
        | Command::Say { .. }
        | Command::GoAudioOnly { .. }
        | Command::RaiseEmergency
        | Command::MarkWrongPatient
        | Command::Close { .. } => false,
    }
}

/// Both sides said who is who, then consent. A reason puts off all of it. 急変 puts off what the
/// patient's side says: whoever cannot be asked is helped all the same, by a doctor who made sure.
pub(super) fn may_be_treated(visit: &Visit, emergency: bool) -> Result<(), Code> {
    if visit.wrong_patient {
        return Err(Code::Quarantined);
    }
    if visit.deferred.is_some() {
        return Ok(());
    }
    visit.identity_doctor.ok_or(Code::IdentityFirst)?;
    if emergency || visit.emergency.is_some() {
        return Ok(());
    }
    visit.identity_patient.ok_or(Code::IdentityFirst)?;
    visit.consent.ok_or(Code::ConsentFirst)?;
    Ok(())
}

fn when(so: bool, event: Event) -> Vec<Event> {
    if so { vec![event] } else { Vec::new() }
}

fn number_after(count: usize) -> u32 {
    u32::try_from(count + 1).unwrap_or(u32::MAX)
}

fn readable(text: &Pii<String>) -> Result<(), Code> {
    let text = text.reveal().ok_or(Code::FieldWrong)?;
    let fits = !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS_MAX;
    if fits { Ok(()) } else { Err(Code::FieldWrong) }
}

fn enter(visit: &Visit, party: &Party) -> Decided {
    let known = visit.parties.iter().find(|other| other.participant == party.participant);
    if known == Some(party) {
        return Ok(Vec::new());
    }
    if known.is_none() && visit.parties.len() >= PARTIES_MAX {
        return Err(Code::VisitFull);
    }
    Ok(vec![Event::Entered(party.clone())])
}

fn write_order(visit: &Visit, text: &Pii<String>) -> Decided {
    readable(text)?;
    may_be_treated(visit, false)?;
    if visit.orders.len() >= ORDERS_MAX {
        return Err(Code::TooMany);
    }
    Ok(vec![Event::OrderWritten { order: number_after(visit.orders.len()), text: text.clone() }])
}

fn order_of(visit: &Visit, order: u32) -> Result<&Order, Code> {
    let index = (order as usize).checked_sub(1).ok_or(Code::OrderUnknown)?;
    visit.orders.get(index).ok_or(Code::OrderUnknown)
}

pub(super) fn evolve(visit: &mut Visit, event: &Event, at: Timestamp) {
    match event {
        Event::Opened { room, ticket, subject } => {
            visit.papers = Some((*room, *ticket, *subject));
            visit.started = at;
        }
        Event::Entered(party) => {
            visit.parties.retain(|other| other.participant != party.participant);
            visit.parties.push(party.clone());
        }
        Event::Exited { participant } => {
            visit.parties.retain(|party| party.participant != *participant);
        }
        Event::IdentityConfirmed { side: Side::Doctor, method } => {
            visit.identity_doctor = Some((*method, at));
        }
        Event::IdentityConfirmed { side: Side::Patient, method } => {
            visit.identity_patient = Some((*method, at));
        }
        Event::Deferred { reason } => visit.deferred = Some(reason.clone()),
        Event::Consented { version, .. } => visit.consent = Some((*version, at)),
        Event::OrderWritten { text, .. } => {
            let order = Order { text: text.clone(), at, read_back: None, done: None };
            visit.orders.push(order);
        }
        Event::OrderReadBack { order } => {
            if let Some(known) = order_mut(visit, *order) {
                known.read_back = Some(at);
            }
        }
        Event::OrderFinished { order } => {
            if let Some(known) = order_mut(visit, *order) {
                known.done = Some(at);
            }
        }
        Event::Said { from, role, text, .. } => {
            visit.lines.push(Line { from: *from, role: *role, at, text: text.clone() });
        }
        Event::WentAudioOnly { reason } => visit.audio_only = Some(reason.clone()),
        Event::EmergencyRaised => visit.emergency = Some(at),
        Event::WrongPatientMarked => visit.wrong_patient = true,
        Event::Closed { .. } => visit.closed = true,
    }
}

fn order_mut(visit: &mut Visit, order: u32) -> Option<&mut Order> {
    visit.orders.get_mut((order as usize).checked_sub(1)?)
}
