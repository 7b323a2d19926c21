//! One connected screen: its tables, its cursors, and the messages that bring it up to date.

use super::lists::{Around, List, Lists, ROWS_MAX, in_parts};
use super::told::Rooms;
use crate::acts::participant;
use crate::desk::Seen;
use crate::http::Edge;
use crate::log::StreamId;
use crate::presence::Seat;
use crate::readings::{Cursor, Page};
use crate::room::{Room, Ticket};
use crate::views::{self, Table, Viewer, may_be_in};
use minato_protocol::view::{DeviceRow, ReadingRow, Row, ViewName};
use minato_protocol::wire::{Have, ToScreen};
use minato_protocol::{Code, Role, RoomId, SiteId, SubjectId, VisitId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a screen was sent so far.
#[derive(Debug)]
pub struct Screen {
    viewer: Viewer,
    session: String,
    tables: BTreeMap<ViewName, Table>,
    lists: Lists,
    held_version: Option<u64>,
    readings: Option<Cursor>,
    chat: Option<(VisitId, u32)>,
}

/// What a view is made of.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Told by what changed.
    List(List),
    /// A few rows, made anew each time.
    Place,
    Visits,
    Devices,
    Held,
    Kits,
}

impl Kind {
    fn of(view: ViewName) -> Self {
        match view {
            ViewName::Rooms => Self::List(List::Rooms),
            ViewName::Tickets => Self::List(List::Tickets),
            ViewName::Doctors => Self::List(List::Doctors),
            ViewName::Alerts => Self::List(List::Alerts),
            ViewName::Place => Self::Place,
            ViewName::Visits => Self::Visits,
            ViewName::Devices => Self::Devices,
            ViewName::Held => Self::Held,
            ViewName::Kits => Self::Kits,
        }
    }
}

/// The tables of each role.
fn views_of(viewer: &Viewer) -> &'static [ViewName] {
    use ViewName::{Alerts, Devices, Doctors, Held, Kits, Place, Rooms, Tickets, Visits};
    if viewer.kit.is_some() {
        return &[Kits, Place, Visits];
    }
    if viewer.is_patient_side() {
        return &[Place, Visits];
    }
    match viewer.role {
        Role::Coordinator => &[Rooms, Tickets, Doctors, Alerts],
        Role::Doctor => &[Rooms, Tickets, Doctors, Visits, Alerts],
        Role::Nurse => &[Rooms, Tickets, Doctors, Visits, Devices, Held, Alerts, Kits],
        Role::Patient => &[Place, Visits],
    }
}

impl Screen {
    /// A screen that was sent nothing yet.
    pub fn new(viewer: Viewer, session: String) -> Self {
        Self {
            viewer,
            session,
            tables: BTreeMap::new(),
            lists: Lists::new(viewer),
            held_version: None,
            readings: None,
            chat: None,
        }
    }

    /// Every view of this role, whole, unless the screen kept exactly it.
    pub async fn greet(&mut self, edge: &Edge, have: &[Have]) -> Result<Vec<ToScreen>, Code> {
        let rooms = edge.desk.all_rooms().await?;
        let mut messages = Vec::new();
        for view in views_of(&self.viewer) {
            let rows = self.rows(edge, &rooms, *view).await?;
            let kept = have.iter().find(|kept| kept.view == *view && kept.epoch == edge.epoch);
            let resumed = kept.map(|kept| (kept, Table::resumed(&rows, kept.version)));
            if let Some((_, table)) = resumed.filter(|(kept, table)| table.hash() == kept.hash) {
                self.tables.insert(*view, table);
                messages.push(ToScreen::Unchanged { view: *view });
                continue;
            }
            messages.extend(self.whole(edge, *view, rows));
        }
        Ok(messages)
    }

    fn whole(&mut self, edge: &Edge, view: ViewName, mut rows: Vec<Row>) -> Vec<ToScreen> {
        let rest = rows.split_off(rows.len().min(ROWS_MAX));
        let table = self.tables.entry(view).or_default();
        let mut messages = vec![message(edge, view, true, table.whole(rows))];
        let further = in_parts(table, rest, Vec::new());
        messages.extend(further.into_iter().map(|change| message(edge, view, false, change)));
        messages
    }

    /// One view again, because the screen's hash did not fit.
    pub async fn resync(&mut self, edge: &Edge, view: ViewName) -> Result<Vec<ToScreen>, Code> {
        if !views_of(&self.viewer).contains(&view) {
            return Err(Code::NotAllowed);
        }
        let rooms = edge.desk.all_rooms().await?;
        let rows = self.rows(edge, &rooms, view).await?;
        Ok(self.whole(edge, view, rows))
    }

    /// What changed since the last message of each view.
    pub async fn news(&mut self, edge: &Edge) -> Result<Vec<ToScreen>, Code> {
        let rooms = edge.desk.all_rooms().await?;
        let mut messages = Vec::new();
        for view in views_of(&self.viewer) {
            let changes = match Kind::of(*view) {
                Kind::List(list) => {
                    let (roll, today) = (edge.directory.roll(), edge.today());
                    let around =
                        Around { rooms: &rooms, cards: &roll.card_by_staff, today: &today };
                    let table = self.tables.entry(*view).or_default();
                    self.lists.news(list, table, around)
                }
                Kind::Held if !self.is_held_anew(edge) => Vec::new(),
                Kind::Place | Kind::Visits | Kind::Devices | Kind::Held | Kind::Kits => {
                    let rows = self.rows(edge, &rooms, *view).await?;
                    let table = self.tables.entry(*view).or_default();
                    table.replace(rows).into_iter().collect()
                }
            };
            messages.extend(changes.into_iter().map(|change| message(edge, *view, false, change)));
        }
        messages.extend(self.chat(edge).await?);
        Ok(messages)
    }

    /// Every row of one view.
    async fn rows(&mut self, edge: &Edge, rooms: &Rooms, view: ViewName) -> Result<Vec<Row>, Code> {
        match Kind::of(view) {
            Kind::List(list) => {
                let (roll, today) = (edge.directory.roll(), edge.today());
                let around = Around { rooms, cards: &roll.card_by_staff, today: &today };
                Ok(self.lists.whole(list, around))
            }
            Kind::Place => Ok(self.place(edge, rooms)),
            Kind::Visits => self.visits(edge, rooms).await,
            Kind::Devices => Ok(devices(edge, &self.viewer, rooms)),
            Kind::Held => Ok(held(edge, &self.viewer)),
            Kind::Kits => kits(edge, &self.viewer).await,
        }
    }

    /// Whether readings of nobody came or went since this was last asked: there may be hundreds, and
    /// whatever else happens in the house rings as well.
    fn is_held_anew(&mut self, edge: &Edge) -> bool {
        let version = self.viewer.site.map(|site| edge.held.version(site));
        let is_new = self.held_version != version;
        self.held_version = version;
        is_new
    }

    fn place(&self, edge: &Edge, rooms: &Rooms) -> Vec<Row> {
        let Some((room, ticket)) = self.viewer.ticket else { return Vec::new() };
        let Some((_, seen)) = rooms.iter().find(|(id, _)| *id == room) else { return Vec::new() };
        let Ok(known) = seen.state.ticket(ticket) else { return Vec::new() };
        vec![views::place(&seen.state, known, &edge.directory.roll().card_by_staff)]
    }

    async fn visits(&self, edge: &Edge, rooms: &Rooms) -> Result<Vec<Row>, Code> {
        let mut rows = Vec::new();
        let (roll, known) = (edge.directory.roll(), edge.register.known());
        let present = edge.presence.parties();
        for (room, ticket) in self.own_claims(rooms) {
            let Some(claim) = ticket.claim() else { continue };
            let papers = edge.desk.visits.see(&StreamId::visit(claim.visit)).await?;
            let row = views::visit_row(
                &self.viewer,
                room,
                ticket,
                (claim.visit, &papers.state),
                (&roll.card_by_staff, &known.sites),
                &present,
                edge.fleet.generation(claim.visit),
            );
            let Some(mut row) = row else { continue };
            if let Some(subject) = row.subject.filter(|_| !self.viewer.is_patient_side()) {
                let worn = edge.desk.subjects.see(&StreamId::subject(subject)).await?;
                row.attachments = views::attachments(&worn.state, &roll.card_by_staff);
            }
            rows.push(Row::Visit(Box::new(row)));
        }
        Ok(rows)
    }

    /// Claimed tickets that may concern this viewer, cheaply.
    fn own_claims<'a>(&self, rooms: &'a Rooms) -> Vec<(RoomId, &'a Ticket)> {
        if let Some((room, ticket)) = self.viewer.ticket {
            let seen = rooms.iter().find(|(id, _)| *id == room);
            let own = seen.and_then(|(_, seen)| seen.state.ticket(ticket).ok());
            return own.map(|own| (room, own)).into_iter().collect();
        }
        let claimed = |(room, seen): &'a (RoomId, Arc<Seen<Room>>)| {
            seen.state.claimed().map(move |ticket| (*room, ticket))
        };
        rooms.iter().flat_map(claimed).collect()
    }

    /// Parties of visits that this screen holds alive by being connected.
    pub async fn parties(&self, edge: &Edge) -> Vec<minato_protocol::ParticipantId> {
        let Ok(rooms) = edge.desk.all_rooms().await else { return Vec::new() };
        let mut held = Vec::new();
        for (_, ticket) in self.own_claims(&rooms) {
            let Some(claim) = ticket.claim() else { continue };
            let Ok(papers) = edge.desk.visits.see(&StreamId::visit(claim.visit)).await else {
                continue;
            };
            let own = participant(edge, &self.session, claim.visit);
            let is_in = papers
                .state
                .parties
                .iter()
                .any(|party| party.participant == own && may_be_in(ticket, claim.visit, party));
            if is_in {
                held.push(own);
            }
        }
        held
    }

    // Readings and chat: cursors of their own.

    /// Starts the flow of a subject's readings after a cursor.
    pub async fn watch_readings(
        &mut self,
        edge: &Edge,
        subject: SubjectId,
        after: u32,
    ) -> Result<tokio::sync::watch::Receiver<()>, Code> {
        if !may_read(edge, &self.viewer, subject).await {
            return Err(Code::NotAllowed);
        }
        let bell = edge.readings.listen(subject);
        self.readings = Some(Cursor::new(subject, after));
        Ok(bell)
    }

    /// The next readings; `more` says that there are more to be asked for at once. The right to
    /// see them is looked at every time: a hand-over stops the flow.
    pub async fn readings(&mut self, edge: &Edge) -> Result<(Option<ToScreen>, bool), Code> {
        let Some(mut cursor) = self.readings.take() else { return Ok((None, false)) };
        if !may_read(edge, &self.viewer, cursor.subject()).await {
            return Ok((None, false));
        }
        let subject = cursor.subject();
        let Page { mut rows, whole, more } =
            cursor.next(&edge.desk, &|staff| edge.name_of(staff)).await?;
        self.readings = Some(cursor);
        if self.viewer.is_patient_side() {
            rows.iter_mut().for_each(ReadingRow::leave_reasons_to_staff);
        }
        let worth_it = whole || !rows.is_empty();
        let message = worth_it.then_some(ToScreen::Readings { subject, whole, rows });
        Ok((message, more))
    }

    /// Starts the flow of a visit's chat after a line.
    pub fn watch_chat(&mut self, visit: VisitId, after: u32) {
        self.chat = Some((visit, after));
    }

    async fn chat(&mut self, edge: &Edge) -> Result<Option<ToScreen>, Code> {
        let Some((visit, after)) = self.chat else { return Ok(None) };
        let Ok((room, ticket)) = edge.desk.ticket_of_visit(visit).await else {
            self.chat = None;
            return Ok(None);
        };
        let papers = edge.desk.visits.see(&StreamId::visit(visit)).await?;
        let (roll, known) = (edge.directory.roll(), edge.register.known());
        let cards = (&roll.card_by_staff, &known.sites);
        let present = edge.presence.parties();
        let seen = (visit, &papers.state);
        if views::visit_row(&self.viewer, room, &ticket, seen, cards, &present, 0).is_none() {
            self.chat = None;
            return Ok(None);
        }
        let lines = views::chat_lines(&papers.state, after, &roll.card_by_staff);
        let Some(last) = lines.last() else { return Ok(None) };
        self.chat = Some((visit, last.seq));
        Ok(Some(ToScreen::Chat { visit, lines }))
    }
}

/// Whose readings somebody may see: the patient's own, the site's, the owner's.
pub(crate) async fn may_read(edge: &Edge, viewer: &Viewer, subject: SubjectId) -> bool {
    if let Some((kit, site)) = edge.kits.of_subject(subject) {
        let is_nurses = !viewer.is_patient_side() && viewer.site == Some(site);
        if viewer.kit == Some(kit) || is_nurses {
            return true;
        }
    }
    let Some((room, ticket)) = edge.desk.ticket_of_subject(subject).await else {
        return false;
    };
    if let Some(own) = viewer.ticket {
        return own == (room, ticket.id);
    }
    match viewer.role {
        Role::Doctor => viewer.staff.is_some() && ticket.owner() == viewer.staff,
        Role::Nurse => ticket.bedside.is_some_and(|bed| Some(bed.site) == viewer.site),
        Role::Coordinator | Role::Patient => false,
    }
}

/// The kits of a nurse's site, or the page's own one.
async fn kits(edge: &Edge, viewer: &Viewer) -> Result<Vec<Row>, Code> {
    let here = viewer.site.map(|site| edge.kits.of_site(site)).unwrap_or_default();
    let roll = edge.directory.roll();
    let mut rows = Vec::new();
    for kit in viewer.kit.into_iter().chain(here) {
        let seen = edge.desk.kits.see(&StreamId::kit(kit)).await?;
        let Ok(new) = seen.state.standing() else { continue };
        let clinic = edge.desk.room(new.room).await?.state.clinic.clone();
        let now = (edge.kits.last_seen(kit), edge.presence.is_there(Seat::Kit(kit)), clinic);
        rows.extend(views::kit_row(viewer, kit, &seen.state, now, &roll.card_by_staff));
    }
    Ok(rows)
}

fn held(edge: &Edge, viewer: &Viewer) -> Vec<Row> {
    let rows = viewer.site.map(|site| edge.held.rows(site)).unwrap_or_default();
    rows.into_iter().map(Row::Held).collect()
}

fn devices(edge: &Edge, viewer: &Viewer, rooms: &Rooms) -> Vec<Row> {
    // Whatever a box says: its devices are on patients of its own site only.
    let ticket_of = |subject: SubjectId, site: SiteId| {
        let tickets = rooms.iter().filter_map(|(_, seen)| {
            seen.state.ticket(*seen.state.ticket_by_subject.get(&subject)?).ok()
        });
        tickets.filter(|ticket| ticket.is_at(site)).map(|ticket| ticket.id).next()
    };
    edge.gateways.look(|links| {
        let here = links.values().filter(|link| Some(link.site) == viewer.site);
        let mut heard: Vec<_> =
            here.flat_map(|link| link.devices.iter().map(move |status| (link, status))).collect();
        // A device that two boxes hear is one device: it is shown as the one says that has it.
        heard.sort_by_key(|(link, status)| Reverse(link.say_of(status)));
        let mut shown = BTreeSet::new();
        heard.retain(|(_, status)| shown.insert(&status.device));
        let rows = heard.into_iter().map(|(link, status)| {
            Row::Device(DeviceRow {
                status: status.clone(),
                ticket: status.bound.and_then(|subject| ticket_of(subject, link.site)),
                gateway_present: link.present,
            })
        });
        rows.collect()
    })
}

fn message(edge: &Edge, view: ViewName, whole: bool, change: views::Change) -> ToScreen {
    let views::Change { upsert, remove, version, hash } = change;
    ToScreen::View { view, epoch: edge.epoch, version, hash, whole, upsert, remove }
}
