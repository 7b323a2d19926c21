//! A home kit as its site's nurse sees it, and as its own page does.

use super::{Cards, Viewer, card_of};
use crate::kit::{Kit, LastSeen, Rule};
use minato_protocol::kit::{KitRow, KitRuleRow};
use minato_protocol::view::{Clinic, Row};
use minato_protocol::{KitId, StaffId};

/// The row of one kit for one viewer; nothing if it is not for these eyes or does not stand. `seen`
/// is what its readings said last, `present` that its page is open, `clinic` the one responsible for
/// its room.
pub fn kit_row(
    viewer: &Viewer,
    id: KitId,
    kit: &Kit,
    (seen, present, clinic): (LastSeen, bool, Clinic),
    cards: &Cards,
) -> Option<Row> {
    let new = kit.standing().ok()?;
    let is_own = viewer.kit == Some(id);
    let is_nurses = !viewer.is_patient_side() && viewer.site == Some(new.site);
    if !is_own && !is_nurses {
        return None;
    }
    let name = |staff: StaffId| if is_own { String::new() } else { card_of(cards, staff).name };
    let rule = |(number, rule): (&u32, &Rule)| KitRuleRow {
        rule: *number,
        is: rule.is,
        by: name(rule.by),
        since: rule.since,
        fired: rule.fired,
        due: seen.due_by_rule.get(number).copied(),
        taken: rule.taken.map(|(by, at)| (name(by), at)),
    };
    // The patient's own page is told what is awaited, and no limits: those are the clinic's.
    let rules =
        kit.rules.iter().filter(|(number, _)| !is_own || seen.due_by_rule.contains_key(number));
    Some(Row::Kit(Box::new(KitRow {
        kit: id,
        room: new.room,
        site: new.site,
        clinic,
        person: new.person.reveal().filter(|_| !is_own).cloned(),
        subject: new.subject,
        present,
        link_expires: kit.link_expires,
        page_until: kit.opened_until,
        rules: rules.map(rule).collect(),
        last: seen.last.clone(),
        doubtful: seen.doubtful,
        ticket: kit.open_ticket().map(|open| open.ticket),
    })))
}
