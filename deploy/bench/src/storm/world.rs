//! What really happens at the beds of one clinic, kept apart from the code under test: who wears
//! what, what is measured on whom, and what the nurses say of it.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use minato_devices::binding::SILENCE_UNBINDS;
use minato_devices::codec::{encode_current_time, encode_datetime};
use minato_protocol::SubjectId;
use std::collections::BTreeMap;

pub(crate) const PATIENTS: u64 = 8;
const DAY_MS: i64 = 86_400_000;
/// Cuffs whose clocks are wrong, by this much.
const CLOCKS_OFF_MS: [i64; 4] = [0, -3 * DAY_MS, 2 * 3_600_000, 0];
/// The steps in which a cuff shows its pressure, and when its result comes.
const PRESSURES_MS: [i64; 5] = [0, 10_000, 20_000, 30_000, 38_000];
const RESULT_MS: i64 = 44_000;
/// Longer than silence may last, and a good deal shorter.
const LONG_SILENCE_MS: i64 = SILENCE_UNBINDS.0 + 30_000;
const SHORT_SILENCE_MS: i64 = 20_000;

/// SplitMix64: the same storm for the same seed.
#[derive(Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `most`.
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    pub(crate) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

/// What the transport of the gateway hears, or what its nurses say.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A device's bytes, and what is true of them.
    Says { device: usize, number: u16, bytes: Vec<u8>, truth: Option<Truth> },
    /// A device goes onto somebody, also from somebody else.
    Bind { device: usize, subject: SubjectId },
    /// A device comes off.
    Unbind { device: usize },
    /// The gateway's clock is set by this much.
    ClockSet { by_ms: i64 },
    /// The gateway dies and starts again; devices appear anew.
    Restart,
}

/// What is true of one measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Truth {
    /// Who wore the device for all of it.
    pub(crate) wearer: Option<SubjectId>,
    /// By true time.
    pub(crate) began_ms: i64,
    /// By true time, in the device's whole seconds where it has a clock.
    pub(crate) measured_ms: i64,
    /// It was sent before.
    pub(crate) again: bool,
}

/// One device.
#[derive(Debug)]
struct Thing {
    is_cuff: bool,
    clock_off_ms: i64,
    wearer: Option<SubjectId>,
    worn_since_ms: i64,
    /// A cuff runs until then.
    busy_until_ms: i64,
    /// Measured out of range; sent later, now and then more than once.
    memory: Vec<(Vec<u8>, Truth)>,
    sent: Option<(Vec<u8>, Truth)>,
}

/// The clinic.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) now_ms: i64,
    zone: TimeZone,
    things: Vec<Thing>,
    due: BTreeMap<(i64, u64), Event>,
    count: u64,
    mark: u16,
}

impl World {
    pub(crate) fn new(seed: u64, now_ms: i64, zone: TimeZone) -> Self {
        let thing = |is_cuff, clock_off_ms| Thing {
            is_cuff,
            clock_off_ms,
            wearer: None,
            worn_since_ms: now_ms,
            busy_until_ms: 0,
            memory: Vec::new(),
            sent: None,
        };
        let cuffs = CLOCKS_OFF_MS.map(|off| thing(true, off));
        let things = cuffs.into_iter().chain((0..6).map(|_| thing(false, 0))).collect();
        let (due, count, mark) = (BTreeMap::new(), 0, 0);
        let mut world = Self { dice: Dice(seed), now_ms, zone, things, due, count, mark };
        for device in 0..world.things.len() {
            world.schedule(1_000, Event::Unbind { device });
            if !world.things[device].is_cuff {
                world.value_after(device, 2_000);
            }
        }
        world
    }

    pub(crate) fn devices(&self) -> usize {
        self.things.len()
    }

    pub(crate) fn is_cuff(&self, device: usize) -> bool {
        self.things[device].is_cuff
    }

    /// What a device's clock shows now, as it is read when it connects.
    pub(crate) fn clock_shown(&self, device: usize) -> [u8; 10] {
        encode_current_time(self.civil(self.now_ms + self.things[device].clock_off_ms))
    }

    fn civil(&self, at_ms: i64) -> DateTime {
        let instant = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
        self.zone.to_datetime(instant)
    }

    fn schedule(&mut self, in_ms: i64, event: Event) {
        self.count += 1;
        self.due.insert((self.now_ms + in_ms, self.count), event);
    }

    /// The next thing that happens; time goes on to it.
    pub(crate) fn next(&mut self) -> Event {
        loop {
            if self.dice.one_in(40) {
                self.stir();
            }
            // Sensors say something every second, if only to nobody: something is always due.
            let ((at_ms, _), event) = self.due.pop_first().expect("sensors are always due");
            self.now_ms = self.now_ms.max(at_ms);
            if let Some(event) = self.happen(event) {
                return event;
            }
        }
    }

    /// Somebody does something at a bed.
    fn stir(&mut self) {
        let device = usize::try_from(self.dice.below(self.things.len() as u64)).unwrap_or(0);
        let subject = SubjectId(1 + self.dice.below(PATIENTS));
        match self.dice.below(100) {
            0 | 1 => self.schedule(0, Event::Restart),
            2 | 3 => {
                let by_ms = if self.dice.one_in(2) { DAY_MS } else { -DAY_MS };
                self.schedule(0, Event::ClockSet { by_ms });
            }
            4..=30 => self.move_to(device, subject),
            31..=60 => self.begin_run(device),
            61..=75 => self.measure_unheard(device),
            76..=85 => self.move_unsaid(device, subject),
            _ => self.send_memory(device),
        }
    }

    /// Off one, said, onto the other: the cuff has no reading between, and an oximeter is silent. In
    /// the middle of a cuff's run the nurses have swapped their tablets: it is said, and the cuff is
    /// where it was until its run is over.
    fn move_to(&mut self, device: usize, subject: SubjectId) {
        let now_ms = self.now_ms;
        let thing = &mut self.things[device];
        let running = thing.busy_until_ms > now_ms;
        if !running {
            thing.wearer = None;
            thing.worn_since_ms = now_ms;
        }
        let said_in_ms = 2_000 + i64::try_from(self.dice.below(4_000)).unwrap_or(0);
        if self.dice.one_in(3) {
            self.schedule(said_in_ms - 1_000, Event::Unbind { device });
        }
        self.schedule(said_in_ms, Event::Bind { device, subject });
    }

    /// Moved without a word: a sensor that was silent for longer than it may be.
    fn move_unsaid(&mut self, device: usize, subject: SubjectId) {
        if self.things[device].is_cuff {
            return;
        }
        let stays = self.dice.one_in(2);
        let silence_ms = if stays { SHORT_SILENCE_MS } else { LONG_SILENCE_MS };
        let back_ms = self.now_ms + silence_ms;
        let thing = &mut self.things[device];
        if !stays {
            thing.wearer = Some(subject);
            thing.worn_since_ms = back_ms;
        }
        thing.busy_until_ms = thing.busy_until_ms.max(back_ms);
    }

    /// A cuff on an arm, at rest.
    fn can_measure(&self, device: usize) -> bool {
        let thing = &self.things[device];
        thing.is_cuff && thing.wearer.is_some() && thing.busy_until_ms <= self.now_ms
    }

    fn begin_run(&mut self, device: usize) {
        if !self.can_measure(device) {
            return;
        }
        self.things[device].busy_until_ms = self.now_ms + RESULT_MS;
        for in_ms in PRESSURES_MS {
            let bytes = vec![0x00, 0x50, 0x00, 0xff, 0x07, 0xff, 0x07];
            let truth = self.truth(device, self.now_ms, self.now_ms + in_ms);
            let event = Event::Says { device, number: 0x2A36, bytes, truth: Some(truth) };
            self.schedule(in_ms, event);
        }
        let ended_ms = self.now_ms + RESULT_MS;
        let truth = self.truth(device, self.now_ms, ended_ms);
        let bytes = self.result(device, ended_ms);
        let event = Event::Says { device, number: 0x2A35, bytes, truth: Some(truth) };
        self.schedule(RESULT_MS, event);
    }

    /// The cuff measures while it cannot be heard, and keeps the result.
    fn measure_unheard(&mut self, device: usize) {
        if !self.can_measure(device) {
            return;
        }
        let ends_ms = self.now_ms + RESULT_MS;
        let bytes = self.result(device, ends_ms);
        let by_its_clock_ms = ends_ms.div_euclid(1_000) * 1_000;
        let truth = self.truth(device, self.now_ms, by_its_clock_ms);
        let thing = &mut self.things[device];
        thing.busy_until_ms = ends_ms;
        thing.memory.push((bytes, truth));
    }

    /// What has ended, and once more what was sent before.
    fn send_memory(&mut self, device: usize) {
        let now_ms = self.now_ms;
        let memory = std::mem::take(&mut self.things[device].memory);
        let (memory, under_way): (Vec<_>, Vec<_>) =
            memory.into_iter().partition(|(_, truth)| truth.measured_ms + 1_000 <= now_ms);
        self.things[device].memory = under_way;
        let again = self.things[device].sent.take();
        for (bytes, truth) in again.into_iter().chain(memory) {
            for in_ms in [0, 400, 800].into_iter().take(1 + usize::from(truth.again)) {
                let event = Event::Says {
                    device,
                    number: 0x2A35,
                    bytes: bytes.clone(),
                    truth: Some(truth),
                };
                self.schedule(in_ms, event);
            }
            self.things[device].sent = Some((bytes, Truth { again: true, ..truth }));
        }
    }

    fn truth(&self, device: usize, began_ms: i64, measured_ms: i64) -> Truth {
        let thing = &self.things[device];
        let wearer = thing.wearer.filter(|_| thing.worn_since_ms <= began_ms);
        Truth { wearer, began_ms, measured_ms, again: false }
    }

    /// Numbers that name this measurement, and the time by the device's clock.
    fn result(&mut self, device: usize, at_ms: i64) -> Vec<u8> {
        self.mark = (self.mark + 1) % 40_000;
        let numbers = [90 + self.mark % 100, 40 + self.mark / 100 % 40, 60 + self.mark / 4_000];
        let mut bytes = vec![0x02];
        numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        let shown_ms = at_ms + self.things[device].clock_off_ms;
        bytes.extend(encode_datetime(self.civil(shown_ms)));
        bytes
    }

    fn value_after(&mut self, device: usize, in_ms: i64) {
        let event = Event::Says { device, number: 0x2A5F, bytes: Vec::new(), truth: None };
        self.schedule(in_ms, event);
    }

    /// Makes it true; nothing is heard of a sensor that is on nobody or silent.
    fn happen(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Says { device, number: 0x2A5F, .. } => {
                self.value_after(device, 1_000);
                let thing = &self.things[device];
                if thing.wearer.is_none() || thing.busy_until_ms > self.now_ms {
                    return None;
                }
                self.mark = (self.mark + 1) % 40_000;
                let (saturation, pulse) = (90 + self.mark % 10, 50 + self.mark % 50);
                let bytes: Vec<u8> = [0x00]
                    .into_iter()
                    .chain(saturation.to_le_bytes())
                    .chain(pulse.to_le_bytes())
                    .collect();
                let truth = Some(self.truth(device, self.now_ms, self.now_ms));
                Some(Event::Says { device, number: 0x2A5F, bytes, truth })
            }
            Event::Bind { device, subject } => {
                let now_ms = self.now_ms;
                let thing = &mut self.things[device];
                let from_ms = thing.busy_until_ms.max(now_ms);
                // A cuff that runs stays where it is until its run is over; what it measures on the
                // next arm begins after that.
                thing.wearer = Some(subject);
                thing.worn_since_ms = if thing.is_cuff { from_ms } else { now_ms };
                Some(Event::Bind { device, subject })
            }
            other => Some(other),
        }
    }
}
