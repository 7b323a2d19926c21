//! The one WebSocket of a screen: reads verbs, sends what changed, with bounds on everything.

use super::Edge;
use super::outbox::{Outbox, outbox};
use crate::access::{Who, who};
use crate::acts::{Actor, Refusal, carry_out, is_companion};
use crate::aggregate::CommandKey;
use crate::feed::Screen;
use crate::presence::{Seat, Sitting};
use crate::views::Viewer;
use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use minato_protocol::act::{Act, Outcome};
use minato_protocol::wire::{self, FromScreen, Have, MESSAGE_BYTES_MAX, ToScreen, You};
use minato_protocol::{Code, ParticipantId, Role};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

/// Verbs of one screen under way at once; further ones wait in the socket.
const ACTS_MAX: usize = 8;
/// Presses of one connection that are remembered; the oldest one is forgotten.
const PRESSES_MAX: usize = 256;
/// A screen says who it is within so long.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Changes of the list come together for so long.
const STAFF_PAUSE: Duration = Duration::from_millis(30);
/// Changes of a patient's position come together for so long.
const PATIENT_PAUSE: Duration = Duration::from_secs(1);
/// tungstenite's default is 128 KiB a socket.
const READ_BUFFER_BYTES: usize = 2 * 1024;
/// Read to the end and then refused with a word; whatever is longer ends the connection at once.
const READ_BYTES_MAX: usize = 2 * MESSAGE_BYTES_MAX;
const WRITE_BUFFER_BYTES_MAX: usize = 1024 * 1024;

pub(super) fn router() -> Router<Arc<Edge>> {
    Router::new().route("/ws", get(upgrade))
}

async fn upgrade(
    State(edge): State<Arc<Edge>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if super::entry::same_origin(&headers).is_err() {
        return StatusCode::FORBIDDEN.into_response();
    }
    let cookie = super::entry::session_cookie(&headers).map(str::to_owned);
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
        .max_message_size(READ_BYTES_MAX)
        .max_frame_size(READ_BYTES_MAX);
    upgrade.on_upgrade(move |socket| async move {
        let (sink, stream) = socket.split();
        let (outbox, writer) = outbox();
        let writer = tokio::spawn(writer.write(sink));
        let ended = Box::pin(serve(&edge, cookie, stream, outbox.clone())).await;
        if let Err(code) = ended {
            tracing::debug!(?code, "screen ends");
            // Whoever is too slow learns it by the end of the connection.
            let _ = outbox.send(&ToScreen::Bye { code });
        }
        drop(outbox);
        drop(writer.await);
    })
}

/// One connected screen.
struct Session<'a> {
    edge: &'a Arc<Edge>,
    cookie: String,
    who: Who,
    actor: Actor,
    you: You,
    screen: Screen,
    outbox: Outbox,
    acts: JoinSet<(String, Result<Outcome, Refusal>)>,
    own_bell: Option<watch::Receiver<()>>,
    readings_bell: Option<watch::Receiver<()>>,
    seats: Vec<Sitting>,
    parties: HashMap<ParticipantId, Sitting>,
    pressed: VecDeque<CommandKey>,
}

async fn serve(
    edge: &Arc<Edge>,
    cookie: Option<String>,
    mut stream: SplitStream<WebSocket>,
    outbox: Outbox,
) -> Result<(), Code> {
    let hello = tokio::time::timeout(HELLO_WITHIN, stream.next()).await;
    // On a full line a hello takes longer than that now and then: its page may come again.
    let Some(message) = hello.map_err(|_late| Code::SlowReader)? else { return Ok(()) };
    let Some(message) = received(message)? else { return Ok(()) };
    let FromScreen::Hello { version, have } = parse(&message)? else {
        return Err(Code::NotUnderstood);
    };
    if version != wire::VERSION {
        return Err(Code::VersionUnknown);
    }
    let cookie = cookie.ok_or(Code::SignInFirst)?;
    let who = who(&edge.desk, &cookie).await?;
    if who.pending {
        return Err(Code::LinkElsewhere);
    }
    metrics::gauge!("minato_screens").increment(1);
    let mut session = Session::new(edge, cookie, who, outbox).await;
    let is_kits = who.kit.is_some();
    if is_kits {
        // Nurses see that the page is open.
        edge.bell().ring();
    }
    let ended = session.run(&have, stream).await;
    metrics::gauge!("minato_screens").decrement(1);
    // What was pressed is carried out to its end, whether or not anybody waits for the answer.
    session.acts.detach_all();
    if is_kits || !session.parties.is_empty() {
        // Who is present in a visit, or at a kit's page, has changed.
        drop(session);
        edge.bell().ring();
    }
    ended
}

/// What came, or nothing once the connection is over.
fn received(message: Result<Message, axum::Error>) -> Result<Option<Message>, Code> {
    match message {
        Ok(Message::Close(_)) => Ok(None),
        Ok(Message::Text(text)) if text.len() > MESSAGE_BYTES_MAX => Err(Code::TooLarge),
        Ok(message) => Ok(Some(message)),
        Err(error) if super::is_too_large(&error) => Err(Code::TooLarge),
        Err(_broken) => Ok(None),
    }
}

fn parse(message: &Message) -> Result<FromScreen, Code> {
    match message {
        Message::Text(text) => serde_json::from_str(text).map_err(|_| Code::NotUnderstood),
        Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {
            Err(Code::NotUnderstood)
        }
    }
}

impl<'a> Session<'a> {
    async fn new(edge: &'a Arc<Edge>, cookie: String, who: Who, outbox: Outbox) -> Self {
        let actor = actor(edge, &who);
        let screen = Screen::new(actor.viewer, actor.session.clone());
        let seats = seats(edge, &who, &actor.viewer);
        let you = you(edge, &who, &actor.viewer).await;
        let own_bell = own_bell(edge, &actor.viewer);
        Self {
            edge,
            cookie,
            who,
            actor,
            you,
            screen,
            outbox,
            acts: JoinSet::new(),
            own_bell,
            readings_bell: None,
            seats,
            parties: HashMap::new(),
            pressed: VecDeque::new(),
        }
    }

    async fn run(&mut self, have: &[Have], mut stream: SplitStream<WebSocket>) -> Result<(), Code> {
        let mut bell = self.edge.bell().listen();
        self.greet(have).await?;
        let beat = self.edge.heartbeat;
        let mut heartbeat = tokio::time::interval(beat.every);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        let pause = if self.who.role == Role::Patient { PATIENT_PAUSE } else { STAFF_PAUSE };
        let mut looked_at = Instant::now();
        let mut look_at = looked_at;
        let mut rung = false;
        loop {
            tokio::select! {
                message = stream.next(), if self.acts.len() < ACTS_MAX => {
                    // Its end is a sign of life as well; only silence is none.
                    self.seats.iter_mut().for_each(Sitting::heard);
                    heard = Instant::now();
                    let Some(message) = message else { return Ok(()) };
                    let Some(message) = received(message)? else { return Ok(()) };
                    if !matches!(message, Message::Ping(_) | Message::Pong(_)) {
                        self.hear(parse(&message)?).await?;
                    }
                }
                Some(done) = self.acts.join_next() => self.tell_outcome(done)?,
                changed = bell.changed(), if !rung => {
                    changed.map_err(|_| Code::Busy)?;
                    rung = true;
                    if self.is_urgent().await {
                        look_at = looked_at + STAFF_PAUSE;
                    }
                }
                () = rings(&mut self.own_bell) => (rung, look_at) = (true, Instant::now()),
                () = tokio::time::sleep_until(look_at), if rung => {
                    rung = false;
                    self.look().await?;
                    looked_at = Instant::now();
                    look_at = looked_at + pause;
                }
                () = rings(&mut self.readings_bell) => self.send_readings().await?,
                _ = heartbeat.tick() => {
                    if heard.elapsed() > beat.silence_max {
                        return Ok(());
                    }
                    // A session that ended in the meantime is noticed without any other change.
                    who(&self.edge.desk, &self.cookie).await?;
                    self.outbox.send(&ToScreen::Ping { now: self.edge.desk.clock.now() })?;
                }
            }
        }
    }

    /// Only positions may be told late, and only to whoever waits.
    async fn is_urgent(&self) -> bool {
        let Some((room, ticket)) = self.actor.viewer.ticket else { return false };
        let Ok(seen) = self.edge.desk.room(room).await else { return true };
        !seen.state.ticket(ticket).is_ok_and(crate::room::Ticket::is_waiting)
    }

    async fn greet(&mut self, have: &[Have]) -> Result<(), Code> {
        self.you = you(self.edge, &self.who, &self.actor.viewer).await;
        let heartbeat_ms = self.edge.heartbeat.every_ms();
        let now = self.edge.desk.clock.now();
        let welcome =
            ToScreen::Welcome { version: wire::VERSION, now, heartbeat_ms, you: self.you.clone() };
        self.outbox.send(&welcome)?;
        let views = self.screen.greet(self.edge, have).await?;
        self.outbox.send_all(&views)?;
        self.hold_parties().await;
        Ok(())
    }

    /// Something changed somewhere: is this session still good, and what has the screen to know?
    async fn look(&mut self) -> Result<(), Code> {
        let now = who(&self.edge.desk, &self.cookie).await?;
        if now.place() != self.who.place() {
            // The tablet turned round, or a kit has a ticket: another viewer, other tables.
            self.turn_round(now).await?;
        } else if self.you.hospital != hospital(self.edge, &self.actor.viewer) {
            // The site's sheet was changed: an emergency telephones this number.
            self.greet(&[]).await?;
        }
        let news = self.screen.news(self.edge).await?;
        self.outbox.send_all(&news)?;
        self.hold_parties().await;
        Ok(())
    }

    async fn turn_round(&mut self, now: Who) -> Result<(), Code> {
        self.who = now;
        self.actor = actor(self.edge, &now);
        self.screen = Screen::new(self.actor.viewer, self.actor.session.clone());
        self.own_bell = own_bell(self.edge, &self.actor.viewer);
        self.readings_bell = None;
        self.seats = seats(self.edge, &now, &self.actor.viewer);
        self.greet(&[]).await
    }

    async fn hold_parties(&mut self) {
        let held = self.screen.parties(self.edge).await;
        self.parties.retain(|participant, _| held.contains(participant));
        for participant in held {
            let presence = &self.edge.presence;
            let sit = || presence.sit(Seat::Party(participant));
            if let std::collections::hash_map::Entry::Vacant(seat) = self.parties.entry(participant)
            {
                seat.insert(sit());
                self.edge.bell().ring();
            }
        }
    }

    async fn hear(&mut self, message: FromScreen) -> Result<(), Code> {
        match message {
            FromScreen::Hello { .. } => Err(Code::NotUnderstood),
            FromScreen::Pong => Ok(()),
            FromScreen::Resync { view } => {
                let views = self.screen.resync(self.edge, view).await?;
                self.outbox.send_all(&views)
            }
            FromScreen::WatchChat { visit, after } => {
                self.screen.watch_chat(visit, after);
                self.look().await
            }
            FromScreen::Do { key, act: Act::WatchReadings { subject, after } } => {
                self.watch_readings(key, subject, after).await
            }
            FromScreen::Do { key, act } => self.start(key, act).await,
        }
    }

    async fn watch_readings(
        &mut self,
        key: String,
        subject: minato_protocol::SubjectId,
        after: u32,
    ) -> Result<(), Code> {
        match self.screen.watch_readings(self.edge, subject, after).await {
            Ok(bell) => self.readings_bell = Some(bell),
            Err(code) => return self.outbox.send(&ToScreen::Refused { key, code, by: None }),
        }
        self.outbox.send(&ToScreen::Done { key, outcome: Outcome::Done })?;
        self.send_readings().await
    }

    async fn send_readings(&mut self) -> Result<(), Code> {
        loop {
            let (message, more) = self.screen.readings(self.edge).await?;
            if let Some(message) = message {
                self.outbox.send(&message)?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Rights are looked at anew with every verb: a revoked session does nothing more.
    async fn start(&mut self, key: String, act: Act) -> Result<(), Code> {
        let now = who(&self.edge.desk, &self.cookie).await?;
        if now.place() != self.who.place() {
            self.turn_round(now).await?;
        }
        let Some(command_key) = command_key(self.edge, &self.who, &key, &act) else {
            let code = Code::NotUnderstood;
            return self.outbox.send(&ToScreen::Refused { key, code, by: None });
        };
        if !self.is_one_press(command_key) {
            return self.outbox.send(&ToScreen::Refused { key, code: Code::KeyReused, by: None });
        }
        let (edge, actor) = (Arc::clone(self.edge), self.actor.clone());
        self.acts.spawn(async move {
            let acted = Box::pin(carry_out(&edge, &actor, command_key, act)).await;
            (key, acted)
        });
        Ok(())
    }

    /// A stream knows its own keys for a day. Here the same key with another verb is found
    /// wherever the verb goes, as far back as this connection remembers.
    fn is_one_press(&mut self, key: CommandKey) -> bool {
        if let Some(before) = self.pressed.iter().find(|before| before.id == key.id) {
            return before.command == key.command;
        }
        if self.pressed.len() == PRESSES_MAX {
            self.pressed.pop_front();
        }
        self.pressed.push_back(key);
        true
    }

    fn tell_outcome(
        &mut self,
        done: Result<(String, Result<Outcome, Refusal>), tokio::task::JoinError>,
    ) -> Result<(), Code> {
        let Ok((key, acted)) = done else {
            tracing::error!("a verb ended in a panic");
            return Ok(());
        };
        self.outbox.send(&match acted {
            Ok(outcome) => ToScreen::Done { key, outcome },
            Err(Refusal { code, by }) => ToScreen::Refused { key, code, by },
        })
    }
}

async fn rings(bell: &mut Option<watch::Receiver<()>>) {
    let Some(bell) = bell else { return std::future::pending().await };
    if bell.changed().await.is_err() {
        std::future::pending().await
    }
}

/// A press is named by the session and the screen's random key: repeated after a reload, it is
/// the same press.
fn command_key(edge: &Edge, who: &Who, key: &str, act: &Act) -> Option<CommandKey> {
    if !(8..=64).contains(&key.len()) {
        return None;
    }
    let name = format!("{}/{key}", who.session);
    let id = edge.desk.secrets.derive_id("command key", name.as_bytes());
    let command = wire::row_hash(&serde_json::to_vec(act).ok()?);
    Some(CommandKey { id, command })
}

pub(super) fn actor(edge: &Edge, who: &Who) -> Actor {
    let staff = who.staff();
    let card = staff.and_then(|staff| edge.directory.card(staff));
    let ticket = who.place();
    let site = card.and_then(|card| card.site);
    let viewer = Viewer { role: who.role, staff, site, ticket, kit: who.kit };
    let nurse_behind = who.patient_view.and(staff);
    Actor { viewer, session: who.session.to_string(), nurse_behind }
}

/// What happens to the patient's own ticket is never put off.
fn own_bell(edge: &Edge, viewer: &Viewer) -> Option<watch::Receiver<()>> {
    viewer.ticket.map(|(_, ticket)| edge.bell().listen_for(ticket))
}

fn seats(edge: &Edge, who: &Who, viewer: &Viewer) -> Vec<Sitting> {
    let own = match who.role {
        Role::Patient if viewer.kit.is_some() => viewer.kit.map(Seat::Kit),
        Role::Patient => viewer.ticket.map(|(_, ticket)| Seat::Ticket(ticket)),
        Role::Doctor => viewer.staff.map(Seat::Staff),
        Role::Nurse => viewer.site.map(Seat::Site),
        Role::Coordinator => None,
    };
    own.into_iter().map(|seat| edge.presence.sit(seat)).collect()
}

async fn you(edge: &Edge, who: &Who, viewer: &Viewer) -> You {
    let companion = match viewer.ticket {
        Some((_, ticket)) => {
            edge.desk.ticket(ticket).await.is_ok_and(|(_, known)| is_companion(viewer, &known))
        }
        None => false,
    };
    let patient_view = who.patient_view.is_some();
    You {
        role: viewer.role,
        name: viewer.staff.map(|staff| edge.name_of(staff)).unwrap_or_default(),
        staff: viewer.staff,
        site: viewer.site,
        ticket: viewer.ticket.map(|(_, ticket)| ticket),
        hospital: hospital(edge, viewer),
        patient_view,
        companion,
        kit: viewer.kit,
        rehearsal: edge.rehearsal,
    }
}

fn hospital(edge: &Edge, viewer: &Viewer) -> Option<String> {
    let known = edge.register.known();
    viewer.site.and_then(|site| known.sites.get(&site)).map(|site| site.receiving_hospital.clone())
}

#[cfg(test)]
#[path = "socket_fuzzed.rs"]
mod fuzzed;
