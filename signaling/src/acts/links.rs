//! Verbs about links, second devices, and the tablet's patient view.

use super::{Acted, Press};
use crate::access::doors::{self, IssuedParts, Place};
use crate::access::{Label, LinkCommand, SecretHash, SessionCommand};
use crate::log::StreamId;
use crate::room::{Command, NewTicket};
use minato_protocol::act::{Invitation, IssuedLink, Outcome};
use minato_protocol::{Code, RoomId, TicketId};

/// At most so many in one go.
const INVITATIONS_MAX: usize = 200;

impl Press<'_> {
    /// Tickets first, then their links: a repeated press makes the same ones.
    pub(super) async fn invite(&self, room: RoomId, people: Vec<Invitation>) -> Acted {
        self.coordinator()?;
        if people.is_empty() || people.len() > INVITATIONS_MAX {
            return Err(Code::FieldWrong.into());
        }
        self.known_room(room)?;
        let seen = self.edge.desk.room(room).await?;
        let mut tickets = Vec::with_capacity(people.len());
        for (index, Invitation { person, triage, first_visit }) in people.into_iter().enumerate() {
            tickets.push(self.new_ticket(&seen.state, index, person, (triage, first_visit))?);
        }
        distinct_codes(&mut tickets);
        let drawn: Vec<(TicketId, String)> =
            tickets.iter().map(|new| (new.ticket, new.code.clone())).collect();
        self.in_room(room, Command::Invite { tickets }).await?;
        // Pressed again, the tickets have the codes that were drawn the first time.
        let seen = self.edge.desk.room(room).await?;
        let place = |(ticket, drawn): (TicketId, String)| {
            let code = seen.state.ticket(ticket).map_or(drawn, |known| known.code.clone());
            (Place { room, ticket, generation: 0 }, code)
        };
        self.issue(drawn.into_iter().map(place).collect()).await
    }

    async fn issue(&self, places: Vec<(Place, String)>) -> Acted {
        let (places, codes): (Vec<Place>, Vec<String>) = places.into_iter().unzip();
        let parts = self.make_links(&places).await?;
        let links = places.iter().zip(codes).zip(parts).map(|((place, code), parts)| IssuedLink {
            ticket: place.ticket,
            code,
            secret: parts.secret,
            spoken: parts.spoken,
            expires: parts.expires,
        });
        Ok(Outcome::Issued { links: links.collect() })
    }

    async fn make_links(&self, places: &[Place]) -> Result<Vec<IssuedParts>, Code> {
        doors::issue_links(&self.edge.desk, places, self.key, doors::LINK_LIFE).await
    }

    pub(super) async fn revoke_link(&self, ticket: TicketId) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        self.coordinator().or_else(|_| self.nurse_of(&known))?;
        self.in_room(room, Command::RevokeLinks { ticket }).await
    }

    /// At the bedside the link is for a second device in the room, and the site's nurse may make
    /// it: see [`Press::is_open_at_the_bed`].
    pub(super) async fn reissue_link(&self, ticket: TicketId) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        self.coordinator().or_else(|_| self.nurse_of(&known))?;
        self.in_room(room, Command::RevokeLinks { ticket }).await?;
        let (_, known) = self.ticket(ticket).await?;
        let place = Place { room, ticket, generation: known.link_generation };
        if known.bedside.is_some() {
            self.is_open_at_the_bed(place).await?;
        }
        self.issue(vec![(place, known.code.clone())]).await
    }

    /// A bedside patient is in on the nurse's tablet already: whoever comes with the link is a
    /// second device and waits for a yes. The link is bound before anybody is shown it.
    async fn is_open_at_the_bed(&self, place: Place) -> Result<(), Code> {
        let session: SecretHash = self.actor.session.parse().map_err(|_| Code::SignInFirst)?;
        let desk = &self.edge.desk;
        for parts in self.make_links(&[place]).await? {
            let link = desk.secrets.lookup_hash(Label::Join, &parts.secret);
            let bind = LinkCommand::Exchange { session };
            desk.links.submit(&StreamId::link(&link.0), None, bind).await?;
        }
        Ok(())
    }

    /// 同席許可 for a second device of the same patient.
    pub(super) async fn allow_device(&self, ticket: TicketId, request: String, yes: bool) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        self.coordinator().or_else(|_| self.nurse_of(&known))?;
        doors::settle_device(&self.edge.desk, room, ticket, &request, yes).await?;
        Ok(Outcome::Done)
    }

    pub(super) async fn enter_patient_view(&self, ticket: TicketId) -> Acted {
        let (room, known) = self.ticket(ticket).await?;
        self.nurse_of(&known)?;
        self.turn_tablet(SessionCommand::EnterPatientView { room, ticket }).await
    }

    /// The nurse's PIN turns the tablet back.
    pub(super) async fn leave_patient_view(&self, pin: String) -> Acted {
        let nurse = self.actor.nurse_behind.ok_or(Code::NotAllowed)?;
        doors::verify_pin(&self.edge.desk, &self.edge.limits, nurse, &pin).await?;
        self.turn_tablet(SessionCommand::LeavePatientView).await
    }

    async fn turn_tablet(&self, command: SessionCommand) -> Acted {
        let session: SecretHash = self.actor.session.parse().map_err(|_| Code::SignInFirst)?;
        let stream = StreamId::session(&session.0);
        self.edge.desk.sessions.submit(&stream, Some(self.key), command).await?;
        Ok(Outcome::Done)
    }
}

/// Within one press nobody else has these codes yet.
fn distinct_codes(tickets: &mut [NewTicket]) {
    let mut seen = std::collections::BTreeSet::new();
    for new in tickets {
        let mut step = 1;
        let first = new.code.clone();
        while !seen.insert(new.code.clone()) {
            step += 1;
            new.code = format!("{first}{step}");
        }
    }
}
