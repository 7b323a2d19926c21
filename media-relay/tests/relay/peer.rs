//! A participant made of the webrtc crate, a stack independent of the relay's.

use crate::link::Link;
use crate::stack::{OPUS_PT, Pictures, stack, track};
use crate::stage::{PATIENCE, TestRelay};
use axum::http::{Method, StatusCode};
use bytes::{Bytes, BytesMut};
use minato_protocol::ParticipantId;
use minato_protocol::media::{
    FromPage, JoinAnswer, JoinOffer, LadderStep, MediaClaims, Pin, RestartAnswer, RestartOffer,
    SLOTS_CHANNEL, STILLS_CHANNEL, SlotMap, StillPiece, ToPage, VideoWish, WAVES_CHANNEL,
};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, watch};
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfiguration,
    RTCConfigurationBuilder, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnectionState,
    RTCSessionDescription,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};

/// A packet that arrived, and in which stream.
pub(crate) struct Arrived {
    pub(crate) stream: String,
    pub(crate) packet: rtc::rtp::Packet,
}

struct Events {
    state: watch::Sender<RTCPeerConnectionState>,
    arrived: mpsc::UnboundedSender<Arrived>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Events {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let arrived = self.arrived.clone();
        tokio::spawn(async move {
            let stream = track.stream_id().await.to_string();
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let _ = arrived.send(Arrived { stream: stream.clone(), packet });
                }
            }
        });
    }
}

/// Whether a peer has microphone, camera and slots, or is a box with data only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Page,
    /// A page whose browser has H.264 and nothing else.
    H264Page,
    /// A page that takes lost pictures again.
    PatientPage,
    DataOnly,
}

/// A connected participant.
pub(crate) struct Peer {
    pub(crate) pc: Arc<dyn PeerConnection>,
    pub(crate) session: JoinAnswer,
    pub(crate) state: watch::Receiver<RTCPeerConnectionState>,
    pub(crate) maps: watch::Receiver<SlotMap>,
    pub(crate) waves: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    pub(crate) stills: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    pub(crate) arrived: Mutex<mpsc::UnboundedReceiver<Arrived>>,
    pub(crate) waves_channel: Arc<dyn DataChannel>,
    slots_channel: Arc<dyn DataChannel>,
    stills_channel: Arc<dyn DataChannel>,
    pub(crate) waves_open: watch::Receiver<bool>,
    microphone: Arc<TrackLocalStaticRTP>,
    camera: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    pictures: Pictures,
    /// How large a picture of [`Peer::show`] is at least.
    pub(crate) picture_bytes: usize,
}

fn toward(direction: RTCRtpTransceiverDirection) -> Option<RTCRtpTransceiverInit> {
    Some(RTCRtpTransceiverInit { direction, ..Default::default() })
}

impl Peer {
    /// Joins and waits until media and both channels are up.
    pub(crate) async fn join(relay: &TestRelay, claims: &MediaClaims, sort: Sort) -> Self {
        // The stack's futures are large; one of them is enough on the heap.
        let usual = RTCConfigurationBuilder::new().build();
        Box::pin(Self::join_at(relay, claims, sort, usual, |sdp| sdp)).await
    }

    /// The same through a TURN server and in no other way.
    pub(crate) async fn join_by_turn(
        relay: &TestRelay,
        claims: &MediaClaims,
        server: RTCIceServer,
    ) -> Self {
        let only_relayed = RTCConfigurationBuilder::new()
            .with_ice_servers(vec![server])
            .with_ice_transport_policy(RTCIceTransportPolicy::Relay)
            .build();
        Box::pin(Self::join_at(relay, claims, Sort::Page, only_relayed, |sdp| sdp)).await
    }

    /// The same over a link that stands between the two.
    pub(crate) async fn join_over(link: &Link, relay: &TestRelay, claims: &MediaClaims) -> Self {
        Self::join_over_as(link, relay, claims, Sort::Page).await
    }

    pub(crate) async fn join_over_as(
        link: &Link,
        relay: &TestRelay,
        claims: &MediaClaims,
        sort: Sort,
    ) -> Self {
        let there = relay.relay.media_addresses()[0];
        let [far, near] =
            [there, link.address].map(|address| format!("{} {}", address.ip(), address.port()));
        let aside = |sdp: String| sdp.replace(&far, &near);
        let usual = RTCConfigurationBuilder::new().build();
        Box::pin(Self::join_at(relay, claims, sort, usual, aside)).await
    }

    async fn join_at(
        relay: &TestRelay,
        claims: &MediaClaims,
        sort: Sort,
        configuration: RTCConfiguration,
        aside: impl Fn(String) -> String,
    ) -> Self {
        let (state, state_seen) = watch::channel(RTCPeerConnectionState::New);
        let (arrived, arrived_here) = mpsc::unbounded_channel();
        let pictures = if sort == Sort::H264Page { Pictures::H264 } else { Pictures::Vp8 };
        let (engine, registry) = stack(pictures, sort == Sort::PatientPage);
        let building = PeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_handler(Arc::new(Events { state, arrived }))
            .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
            .build();
        let pc: Arc<dyn PeerConnection> =
            Arc::new(Box::pin(building).await.expect("a peer connection"));
        let slots_channel = pc.create_data_channel(SLOTS_CHANNEL, None).await.expect("slots");
        let unreliable =
            RTCDataChannelInit { ordered: false, max_retransmits: Some(0), ..Default::default() };
        let waves_channel =
            pc.create_data_channel(WAVES_CHANNEL, Some(unreliable)).await.expect("waves");
        let seldom =
            RTCDataChannelInit { ordered: false, max_retransmits: Some(2), ..Default::default() };
        let stills_channel =
            pc.create_data_channel(STILLS_CHANNEL, Some(seldom)).await.expect("stills");
        let ssrc = u32::try_from(claims.participant.0).expect("small") * 1_000;
        let microphone = track(RtpCodecKind::Audio, pictures, ssrc + 1);
        let camera = track(RtpCodecKind::Video, pictures, ssrc + 2);
        if sort != Sort::DataOnly {
            lines(&pc, &microphone, &camera).await;
        }
        let offer = pc.create_offer(None).await.expect("an offer");
        pc.set_local_description(offer).await.expect("a local description");
        let sdp = pc.local_description().await.expect("just set").sdp;
        let body = serde_json::to_vec(&JoinOffer { sdp }).expect("JSON");
        let answer = relay.post(claims, body).await;
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, StatusCode::CREATED, "{said}");
        let session: JoinAnswer = answer.json();
        let sdp = aside(session.sdp.clone());
        let sdp = RTCSessionDescription::answer(sdp).expect("an answer");
        pc.set_remote_description(sdp).await.expect("a remote description");
        let maps = listen(&slots_channel);
        let (waves, waves_open) = collect(&waves_channel);
        let (stills, mut stills_open) = collect(&stills_channel);
        let mut peer = Self {
            pc,
            session,
            state: state_seen,
            maps,
            waves: Mutex::new(waves),
            stills: Mutex::new(stills),
            arrived: Mutex::new(arrived_here),
            waves_channel,
            slots_channel,
            stills_channel,
            waves_open,
            microphone,
            camera,
            ssrc,
            pictures,
            picture_bytes: 0,
        };
        peer.is(RTCPeerConnectionState::Connected).await;
        for open in [&mut peer.waves_open, &mut stills_open] {
            let open = tokio::time::timeout(PATIENCE, open.wait_for(|open| *open)).await;
            open.expect("its channels open in time").expect("the peer lives");
        }
        peer
    }

    /// Waits for a state of the connection.
    pub(crate) async fn is(&mut self, wanted: RTCPeerConnectionState) {
        let reached = tokio::time::timeout(PATIENCE, self.state.wait_for(|s| *s == wanted)).await;
        reached.expect("the state is reached in time").expect("the peer lives");
    }

    /// Waits until the relay has closed the data channels: the page's quickest sign of its end.
    pub(crate) async fn loses_its_channels(&mut self) {
        let closed = tokio::time::timeout(PATIENCE, self.waves_open.wait_for(|open| !open)).await;
        closed.expect("they are closed in time").expect("the peer lives");
    }

    /// Waits for a slot map.
    pub(crate) async fn sees(&mut self, wanted: impl Fn(&SlotMap) -> bool) -> SlotMap {
        let seen = tokio::time::timeout(PATIENCE, self.maps.wait_for(|map| wanted(map))).await;
        let seen = seen.map(|map| map.map(|map| map.clone()));
        seen.expect("the map comes in time").expect("the peer lives")
    }

    pub(crate) async fn speak(&self, number: u16) {
        self.speak_words(number, &[1, 2, 3]).await;
    }

    pub(crate) async fn speak_words(&self, number: u16, words: &[u8]) {
        let timestamp = u32::from(number) * 960;
        self.write(&self.microphone, OPUS_PT, self.ssrc + 1, number, timestamp, words).await;
    }

    /// A one-packet picture. VP8: payload descriptor with a 15-bit picture number, then a frame
    /// header whose lowest bit is 0 for a keyframe. H.264: a slice, or parameters and a picture
    /// that stands for itself in one aggregate.
    pub(crate) async fn show(&self, number: u16, keyframe: bool) {
        let [high, low] = number.to_be_bytes();
        let mut payload = match (self.pictures, keyframe) {
            (Pictures::Vp8, _) => vec![0x90, 0x80, 0x80 | high, low, u8::from(!keyframe), 9, 9],
            (Pictures::H264, false) => vec![0x61, 9, 9],
            (Pictures::H264, true) => vec![0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 2, 0, 2, 0x65, 3],
        };
        payload.resize(payload.len().max(self.picture_bytes), 9);
        let timestamp = u32::from(number) * 3_000;
        let payload_type = self.pictures.payload_type();
        self.write(&self.camera, payload_type, self.ssrc + 2, number, timestamp, &payload).await;
    }

    /// A VP8 keyframe in pieces with so many bytes of picture each, counted through from the first.
    pub(crate) async fn show_in_pieces(&self, number: u16, sizes: &[u16]) {
        let [high, low] = number.to_be_bytes();
        let mut bytes = (0..=250u8).cycle();
        let first = number * u16::try_from(sizes.len()).expect("a few");
        let timestamp = u32::from(number) * 3_000;
        for (at, size) in (0..).zip(sizes) {
            let mut payload = vec![if at == 0 { 0x90 } else { 0x80 }, 0x80, 0x80 | high, low];
            payload.extend(bytes.by_ref().take(usize::from(*size)));
            let payload_type = self.pictures.payload_type();
            let sequence_number = first + at;
            self.write(
                &self.camera,
                payload_type,
                self.ssrc + 2,
                sequence_number,
                timestamp,
                &payload,
            )
            .await;
        }
    }

    async fn write(
        &self,
        track: &TrackLocalStaticRTP,
        payload_type: u8,
        ssrc: u32,
        sequence_number: u16,
        timestamp: u32,
        payload: &[u8],
    ) {
        let header = rtc::rtp::Header {
            version: 2,
            marker: true,
            payload_type,
            sequence_number,
            timestamp,
            ssrc,
            ..Default::default()
        };
        let packet = rtc::rtp::Packet { header, payload: Bytes::copy_from_slice(payload) };
        track.write_rtp(packet).await.expect("the track is bound");
    }

    /// Holds somebody's page on a step of the ladder.
    pub(crate) async fn pin(&self, participant: ParticipantId, step: Option<LadderStep>) {
        let pin = FromPage::Pin(Pin { participant, step });
        let text = serde_json::to_string(&pin).expect("JSON");
        self.slots_channel.send_text(&text).await.expect("the channel is open");
    }

    /// How much picture this page wants of somebody.
    pub(crate) async fn want(&self, participant: ParticipantId, video: VideoWish) {
        let wish = FromPage::WantVideo { participant, video };
        let text = serde_json::to_string(&wish).expect("JSON");
        self.slots_channel.send_text(&text).await.expect("the channel is open");
    }

    /// Sends a piece of a still.
    pub(crate) async fn still(&self, piece: StillPiece<'_>) {
        self.still_bytes(&piece.write()).await;
    }

    /// Sends anything at all where pieces of stills are expected.
    pub(crate) async fn still_bytes(&self, message: &[u8]) {
        self.stills_channel.send(BytesMut::from(message)).await.expect("the channel is open");
    }

    pub(crate) async fn wave(&self, message: &[u8]) {
        self.waves_channel.send(BytesMut::from(message)).await.expect("the channel is open");
    }

    /// The next wave that arrives.
    pub(crate) async fn next_wave(&self) -> Bytes {
        let wave = async { self.waves.lock().await.recv().await };
        let wave = tokio::time::timeout(PATIENCE, wave).await.expect("a wave in time");
        wave.expect("the peer lives")
    }

    /// Restarts ICE with the session's own secret.
    pub(crate) async fn restart(&self, relay: &TestRelay) {
        self.pc.restart_ice().await.expect("a restart");
        let offer = self.pc.create_offer(None).await.expect("an offer");
        self.pc.set_local_description(offer).await.expect("a local description");
        let sdp = self.pc.local_description().await.expect("just set").sdp;
        let body = serde_json::to_vec(&RestartOffer { sdp }).expect("JSON");
        let path = format!("/relay/sessions/{}", self.session.session);
        let json = "application/json";
        let answer = relay.ask(Method::PATCH, &path, &self.session.secret, json, body).await;
        assert_eq!(answer.status, StatusCode::OK);
        let answer: RestartAnswer = answer.json();
        let sdp = RTCSessionDescription::answer(answer.sdp).expect("an answer");
        self.pc.set_remote_description(sdp).await.expect("a remote description");
    }
}

/// The page's lines in their order: microphone, camera, five pairs, auscultation.
async fn lines(
    pc: &Arc<dyn PeerConnection>,
    microphone: &Arc<TrackLocalStaticRTP>,
    camera: &Arc<TrackLocalStaticRTP>,
) {
    let send = RTCRtpTransceiverDirection::Sendonly;
    let receive = RTCRtpTransceiverDirection::Recvonly;
    for track in [microphone, camera] {
        let track: Arc<dyn TrackLocal> = track.clone();
        pc.add_transceiver_from_track(track, toward(send)).await.expect("a sending line");
    }
    let mut kinds = [RtpCodecKind::Audio, RtpCodecKind::Video].repeat(5);
    kinds.push(RtpCodecKind::Audio);
    for kind in kinds {
        pc.add_transceiver_from_kind(kind, toward(receive)).await.expect("a receiving line");
    }
}

/// The slot maps that a page is told.
fn listen(slots: &Arc<dyn DataChannel>) -> watch::Receiver<SlotMap> {
    let (map, maps) = watch::channel(SlotMap::default());
    let slots = slots.clone();
    tokio::spawn(async move {
        while let Some(event) = slots.poll().await {
            if let DataChannelEvent::OnMessage(message) = event {
                let ToPage::SlotMap(told) =
                    serde_json::from_slice(&message.data).expect("a known message");
                assert!(told.version > map.borrow().version, "versions grow");
                map.send_replace(told);
            }
        }
    });
    maps
}

/// What comes on a channel, and whether it is open.
fn collect(
    channel: &Arc<dyn DataChannel>,
) -> (mpsc::UnboundedReceiver<Bytes>, watch::Receiver<bool>) {
    let (message, heard) = mpsc::unbounded_channel();
    let (open, opened) = watch::channel(false);
    let channel = channel.clone();
    tokio::spawn(async move {
        while let Some(event) = channel.poll().await {
            match event {
                DataChannelEvent::OnOpen => {
                    open.send_replace(true);
                }
                DataChannelEvent::OnMessage(came) => {
                    let _ = message.send(came.data.freeze());
                }
                DataChannelEvent::OnClose => {
                    open.send_replace(false);
                }
                _ => {}
            }
        }
    });
    (heard, opened)
}
