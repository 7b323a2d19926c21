use super::*;
use minato_protocol::reading::{Decimal, Quantity};
use minato_protocol::{Person, SiteId, SubjectId};

const NURSE: StaffId = StaffId(201);
const ROOM: RoomId = RoomId(1);
const T0: Timestamp = Timestamp(1_700_000_000_000);
const FAST: ChangeRule =
    ChangeRule::Above { what: Quantity::PulseRate, limit: Decimal::whole(120) };
const SILENT: ChangeRule =
    ChangeRule::Missing { what: Quantity::Weight, within: Span::minutes(60) };

fn after(minutes: i64) -> Timestamp {
    T0 + Span::minutes(minutes)
}

fn person() -> Person {
    Person {
        name: "自宅 花子".into(),
        kana: "じたく はなこ".into(),
        birth_date: "1940-01-02".into(),
        call_back: "0599-00-0000".into(),
        location: "島 1-2".into(),
    }
}

fn when(kit: &mut Kit, command: Command, now: Timestamp) -> Result<Vec<Event>, Code> {
    let events = kit.decide(&command, now)?;
    events.iter().for_each(|event| kit.evolve(event, now));
    Ok(events)
}

fn done(kit: &mut Kit, command: Command) -> Vec<Event> {
    when(kit, command.clone(), T0).unwrap_or_else(|code| panic!("{command:?}: {code:?}"))
}

/// With two rules: 1 is [`FAST`], 2 is [`SILENT`].
fn kit() -> Kit {
    let subject = SubjectId(7);
    let person = Pii::new(subject, person());
    let mut kit = Kit::default();
    let new = NewKit { subject, person, room: ROOM, site: SiteId(1), by: NURSE };
    done(&mut kit, Command::SetUp(new));
    for is in [FAST, SILENT] {
        done(&mut kit, Command::SetRule { is, replaces: None, by: NURSE });
    }
    kit
}

fn fire(rule: u32, is: ChangeRule, at: i64) -> Command {
    let saw = Fired { firing: 0, rule: is, value: None, before: None, at: after(at) };
    Command::Fire { rule, armed_since: T0, saw }
}

fn numbers(kit: &Kit) -> Vec<u32> {
    kit.pending.iter().map(|pii| pii.reveal().expect("not erased").firing).collect()
}

#[test]
fn a_rule_fires_once_however_many_see_it() {
    let mut kit = kit();
    assert_eq!(done(&mut kit, fire(1, FAST, 1)).len(), 1);
    assert_eq!(done(&mut kit, fire(1, FAST, 1)), []);
    assert_eq!(done(&mut kit, fire(1, FAST, 2)), []);
    assert_eq!(numbers(&kit), [1]);
}

#[test]
fn who_judged_an_older_state_of_the_rule_fires_nothing() {
    let mut kit = kit();
    done(&mut kit, fire(1, FAST, 1));
    done(&mut kit, Command::Settle { rule: 1, fired: after(1), at: after(5) });
    assert_eq!(
        done(&mut kit, fire(1, FAST, 1)),
        [],
        "it believes that the rule was armed at first"
    );
    done(&mut kit, Command::TakeRule { rule: 2, by: NURSE });
    assert_eq!(done(&mut kit, fire(2, SILENT, 1)), []);
}

#[test]
fn a_changed_rule_is_another_rule_and_the_old_one_stays_to_be_seen() {
    let mut kit = kit();
    let lower = ChangeRule::Above { what: Quantity::PulseRate, limit: Decimal::whole(110) };
    when(&mut kit, Command::SetRule { is: lower, replaces: Some(1), by: NURSE }, after(3)).unwrap();
    assert_eq!(kit.rules[&1].taken, Some((NURSE, after(3))));
    assert_eq!((kit.rules[&3].is, kit.rules[&3].since), (lower, after(3)));
    let again = Command::SetRule { is: lower, replaces: Some(1), by: NURSE };
    assert_eq!(when(&mut kit, again, after(4)), Err(Code::RuleUnknown));
}

#[test]
fn a_kit_keeps_so_many_rules_and_shows_so_many_that_were_taken_away() {
    let mut kit = kit();
    let set = Command::SetRule { is: FAST, replaces: None, by: NURSE };
    for _ in 2..RULES_MAX {
        done(&mut kit, set.clone());
    }
    assert_eq!(when(&mut kit, set.clone(), T0), Err(Code::RulesTooMany));
    for _ in 0..40 {
        let newest = kit.in_force().last().expect("a rule").0;
        done(&mut kit, Command::SetRule { is: FAST, replaces: Some(newest), by: NURSE });
    }
    assert_eq!(kit.rules.len(), RULES_MAX + TAKEN_MAX);
    assert_eq!(kit.in_force().count(), RULES_MAX);
}

#[test]
fn what_makes_no_sense_is_no_rule() {
    let mut kit = kit();
    let (what, by) = (Quantity::PulseRate, Decimal::whole(30));
    let wrong = [
        ChangeRule::Above { what: Quantity::Impedance, limit: by },
        ChangeRule::Changed { what, by: Decimal::whole(0), within: Span::minutes(60) },
        ChangeRule::Changed { what, by, within: Span::seconds(59) },
        ChangeRule::Missing { what, within: Span::minutes(7 * 24 * 60 + 1) },
    ];
    for is in wrong {
        let set = Command::SetRule { is, replaces: None, by: NURSE };
        assert_eq!(when(&mut kit, set, T0), Err(Code::FieldWrong), "{is:?}");
    }
}

#[test]
fn what_fires_while_a_ticket_is_open_goes_to_that_ticket_and_later_to_another() {
    let mut kit = kit();
    let choose = |ticket| Command::ChooseTicket { room: ROOM, ticket: TicketId(ticket) };
    assert_eq!(done(&mut kit, choose(1)), [], "nothing has fired");
    done(&mut kit, fire(1, FAST, 1));
    assert_eq!(done(&mut kit, choose(1)).len(), 1);
    assert_eq!(done(&mut kit, choose(2)), [], "one is open");
    done(&mut kit, fire(2, SILENT, 2));
    assert_eq!((kit.first_pending(), numbers(&kit)), (1, vec![1, 2]));
    done(&mut kit, Command::NoteCarried { ticket: TicketId(1), up_to: 1 });
    assert_eq!((kit.first_pending(), numbers(&kit)), (2, vec![2]));
    done(&mut kit, Command::NoteTicketOver { ticket: TicketId(1) });
    assert_eq!(kit.open_ticket(), None);
    assert_eq!(done(&mut kit, choose(2)).len(), 1);
    done(&mut kit, Command::NoteCarried { ticket: TicketId(2), up_to: 2 });
    assert!(kit.pending.is_empty());
}

#[test]
fn a_kit_that_was_taken_back_has_no_link_and_fires_nothing() {
    let mut kit = kit();
    done(&mut kit, Command::RenewLink { expires: after(60), by: NURSE });
    let generation = kit.link_generation;
    done(&mut kit, Command::TakeBack { by: NURSE });
    assert!(kit.link_generation > generation && kit.link_expires.is_none());
    assert_eq!(kit.in_force().count(), 0);
    assert_eq!(done(&mut kit, fire(1, FAST, 1)), []);
    let set = Command::SetRule { is: FAST, replaces: None, by: NURSE };
    assert_eq!(when(&mut kit, set, T0), Err(Code::KitUnknown));
}
