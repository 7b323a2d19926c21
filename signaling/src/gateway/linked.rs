//! Gateways that are connected to this node, what hangs at them, and requests on their way.

use super::passes::Passes;
use crate::desk::Bell;
use minato_protocol::lan::{LanBox, LanPlace};
use minato_protocol::reading::{DeviceId, Hex, RequestKey};
use minato_protocol::uplink::{DeviceStatus, FromBroker, RequestRefusal};
use minato_protocol::{Code, GatewayId, SiteId, SubjectId, VisitId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, mpsc, oneshot};

/// A gateway answers a request within so long, or it counts as away.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Messages that wait for one gateway. When it is full the gateway counts as away.
const OUTBOX_MAX: usize = 64;

/// One gateway as this node knows it.
#[derive(Debug)]
pub struct Link {
    /// Where it hangs.
    pub site: SiteId,
    /// What hangs at it, as it last said.
    pub devices: Vec<DeviceStatus>,
    /// Where it listens on the clinic's own network, as it last said; told to pages also while the
    /// box is away.
    pub lan: Option<LanPlace>,
    /// Whether it is connected now.
    pub present: bool,
    /// Whether it has said on this connection what hangs at it. What it said before may be undone:
    /// at the box itself devices go on and come off without the broker.
    pub told: bool,
    /// Drawn at each start of the box: another one has forgotten what it was granted.
    pub boot: Hex<8>,
    connection: u64,
    turns: Arc<AsyncMutex<()>>,
    outbox: Option<mpsc::Sender<FromBroker>>,
    waiting: HashMap<RequestKey, oneshot::Sender<Result<(), RequestRefusal>>>,
}

impl Link {
    /// How much this box has to say of a device, against another that hears it too: whether it
    /// answers, has it on somebody, reaches it, and how well.
    pub fn say_of(&self, known: &DeviceStatus) -> impl Ord + use<> {
        (self.present, known.bound.is_some(), known.connected, known.signal_dbm)
    }
}

/// All gateways that were connected since this node started.
#[derive(Debug)]
pub struct Gateways {
    links: Mutex<BTreeMap<GatewayId, Link>>,
    lost: Mutex<BTreeSet<(GatewayId, VisitId)>>,
    dialled: AtomicU64,
    bell: Bell,
    pub(super) passes: Passes,
}

impl Gateways {
    /// None yet. The bell rings when devices change.
    pub fn new(bell: Bell) -> Self {
        let dialled = AtomicU64::new(0);
        let passes = Passes::default();
        Self { links: Mutex::default(), lost: Mutex::default(), dialled, bell, passes }
    }

    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<GatewayId, Link>) -> T) -> T {
        change(&mut self.links.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Somebody dialled: the number of this connection. A higher one is newer, whoever proves first.
    pub fn dialled(&self) -> u64 {
        self.dialled.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A gateway proved who it is. An older connection of it ends with its outbox; beside a newer
    /// one this is nothing.
    pub fn connect(
        &self,
        gateway: GatewayId,
        connection: u64,
        site: SiteId,
        boot: Hex<8>,
    ) -> Option<mpsc::Receiver<FromBroker>> {
        let (outbox, messages) = mpsc::channel(OUTBOX_MAX);
        let is_newest = self.with(|links| {
            let link = links.entry(gateway).or_insert_with(|| Link {
                site,
                devices: Vec::new(),
                lan: None,
                present: false,
                told: false,
                boot,
                connection: 0,
                turns: Arc::default(),
                outbox: None,
                waiting: HashMap::new(),
            });
            if link.connection > connection {
                return false;
            }
            link.connection = connection;
            link.present = true;
            link.told = false;
            link.boot = boot;
            link.outbox = Some(outbox);
            true
        });
        if is_newest {
            self.passes.tell_again(gateway);
        }
        self.bell.ring();
        is_newest.then_some(messages)
    }

    /// The right to apply one message, held until it is applied; nothing for a connection that a
    /// newer one replaced. Messages of one gateway are applied one after the other, and none of an
    /// older connection after the newer one's first: a binding never overtakes the next.
    pub async fn turn(&self, gateway: GatewayId, connection: u64) -> Option<OwnedMutexGuard<()>> {
        let turns = self.with(|links| links.get(&gateway).map(|link| Arc::clone(&link.turns)))?;
        let turn = turns.lock_owned().await;
        let newest = self.with(|links| links.get(&gateway).map(|link| link.connection));
        (newest == Some(connection)).then_some(turn)
    }

    /// A connection ended; a newer one stays.
    pub fn disconnect(&self, gateway: GatewayId, connection: u64) {
        self.with(|links| {
            if let Some(link) = links.get_mut(&gateway)
                && link.connection == connection
            {
                link.present = false;
                link.outbox = None;
                link.waiting.clear();
            }
        });
        self.bell.ring();
    }

    /// What hangs at a gateway now.
    pub fn set_devices(&self, gateway: GatewayId, devices: Vec<DeviceStatus>) {
        let changed = self.with(|links| {
            let Some(link) = links.get_mut(&gateway) else { return false };
            let changed = link.devices != devices;
            link.devices = devices;
            link.told = true;
            changed
        });
        if changed {
            self.bell.ring();
        }
    }

    /// Where a gateway listens on the clinic's own network. An address that does not fit a page's
    /// policy is told to nobody.
    pub fn set_lan(&self, gateway: GatewayId, lan: Option<LanPlace>) {
        let lan = lan.filter(|place| {
            let plain = place.is_plain();
            if !plain {
                tracing::warn!(%gateway, "a box's own address fits no header: pages are not told");
            }
            plain
        });
        self.with(|links| {
            if let Some(link) = links.get_mut(&gateway) {
                link.lan = lan;
            }
        });
    }

    /// The boxes of a site that listen on its network.
    pub fn on_lan(&self, site: SiteId) -> Vec<LanBox> {
        self.with(|links| {
            let here = links.iter().filter(|(_, link)| link.site == site);
            let place = |(gateway, link): (&GatewayId, &Link)| {
                Some(LanBox { gateway: *gateway, place: link.lan.clone()? })
            };
            here.filter_map(place).collect()
        })
    }

    /// A device went onto a subject, or off.
    pub fn set_bound(&self, gateway: GatewayId, device: &DeviceId, subject: Option<SubjectId>) {
        self.with(|links| {
            let devices = links.get_mut(&gateway).map(|link| &mut link.devices);
            let known = devices.and_then(|all| all.iter_mut().find(|one| one.device == *device));
            if let Some(known) = known {
                known.bound = subject;
            }
        });
        self.bell.ring();
    }

    /// A request was answered.
    pub fn answer(&self, gateway: GatewayId, key: &RequestKey, answer: Result<(), RequestRefusal>) {
        let waiting = self.with(|links| links.get_mut(&gateway)?.waiting.remove(key));
        if let Some(waiting) = waiting {
            // Whoever asked may be gone.
            let _ = waiting.send(answer);
        }
    }

    /// A gateway's way to the relay ended: it needs a new grant for this visit.
    pub fn media_lost(&self, gateway: GatewayId, visit: VisitId) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).insert((gateway, visit));
        self.bell.ring();
    }

    /// Visits for which gateways need a new grant; asked for once.
    pub fn take_lost(&self) -> BTreeSet<(GatewayId, VisitId)> {
        std::mem::take(&mut self.lost.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at all links.
    pub fn look<T>(&self, look: impl FnOnce(&BTreeMap<GatewayId, Link>) -> T) -> T {
        self.with(|links| look(links))
    }

    /// The gateway of a site at which a device hangs; of two that hear it, the one that has more to
    /// say of it.
    pub fn gateway_of(&self, site: SiteId, device: &DeviceId) -> Result<GatewayId, Code> {
        self.with(|links| {
            let here = links.iter().filter(|(_, link)| link.site == site);
            let hear = here.filter_map(|(gateway, link)| {
                let known = link.devices.iter().find(|known| known.device == *device)?;
                Some((link.say_of(known), Reverse(*gateway)))
            });
            hear.max().map(|(_, Reverse(gateway))| gateway).ok_or(Code::DeviceUnknown)
        })
    }

    /// Another box of the site that hears the same device and has it on somebody.
    pub fn bound_at_another(
        &self,
        site: SiteId,
        device: &DeviceId,
        gateway: GatewayId,
    ) -> Option<(GatewayId, SubjectId)> {
        self.with(|links| {
            let others = links.iter().filter(|(id, link)| **id != gateway && link.site == site);
            let mut bound = others.filter_map(|(id, link)| {
                let known = link.devices.iter().find(|known| known.device == *device)?;
                Some((*id, known.bound?))
            });
            bound.next()
        })
    }

    /// Sends without waiting for an answer.
    pub fn tell(&self, gateway: GatewayId, message: FromBroker) -> Result<(), Code> {
        let outbox = self.with(|links| links.get(&gateway)?.outbox.clone());
        outbox.ok_or(Code::GatewayAway)?.try_send(message).map_err(|_| Code::GatewayAway)
    }

    /// Sends a request and waits until the gateway did it, or said why not.
    pub async fn ask(
        &self,
        gateway: GatewayId,
        key: RequestKey,
        message: FromBroker,
    ) -> Result<(), Code> {
        let (answer, answered) = oneshot::channel();
        self.with(|links| {
            let link = links.get_mut(&gateway).ok_or(Code::GatewayAway)?;
            link.waiting.insert(key.clone(), answer);
            Ok(())
        })?;
        self.tell(gateway, message)?;
        match tokio::time::timeout(ANSWER_WITHIN, answered).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(refusal))) => Err(refusal.code()),
            Ok(Err(_)) | Err(_) => {
                self.with(|links| {
                    links.get_mut(&gateway).and_then(|link| link.waiting.remove(&key))
                });
                Err(Code::GatewayAway)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: GatewayId = GatewayId(1);

    fn connect(gateways: &Gateways, connection: u64) -> Option<mpsc::Receiver<FromBroker>> {
        gateways.connect(BOX, connection, SiteId(1), Hex([0; 8]))
    }

    #[test]
    fn whoever_dialled_first_and_proved_last_does_not_end_the_newer_connection() {
        let gateways = Gateways::new(Bell::default());
        let (older, newer) = (gateways.dialled(), gateways.dialled());
        let standing = connect(&gateways, newer);
        assert!(connect(&gateways, older).is_none());
        gateways.disconnect(BOX, older);
        assert!(standing.is_some_and(|outbox| !outbox.is_closed()));
        assert!(gateways.look(|links| links[&BOX].present));
    }

    #[test]
    fn what_hung_at_a_box_before_it_was_away_is_not_its_word_now() {
        let gateways = Gateways::new(Bell::default());
        let told = || gateways.look(|links| links[&BOX].told);
        let first = gateways.dialled();
        let _outbox = connect(&gateways, first);
        assert!(!told());
        gateways.set_devices(BOX, Vec::new());
        assert!(told());
        gateways.disconnect(BOX, first);
        let _outbox = connect(&gateways, gateways.dialled());
        assert!(!told());
        gateways.set_devices(BOX, Vec::new());
        assert!(told(), "the same as before, and said anew");
    }

    #[tokio::test]
    async fn a_message_of_an_older_connection_has_no_turn_after_the_newer_one_began() {
        let gateways = Arc::new(Gateways::new(Bell::default()));
        let older = gateways.dialled();
        let _older_outbox = connect(&gateways, older);
        let under_way = gateways.turn(BOX, older).await.expect("the only connection");
        let newer = gateways.dialled();
        let _newer_outbox = connect(&gateways, newer);
        // What the older one began is finished before the newer one's first message.
        let waiting = tokio::spawn({
            let gateways = Arc::clone(&gateways);
            async move { gateways.turn(BOX, newer).await.is_some() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(under_way);
        assert!(waiting.await.expect("it waits"));
        assert!(gateways.turn(BOX, older).await.is_none());
    }
}
