// Leaves a page one of the two ways through the door, so that each is seen to carry a call.

/**
 * Runs in the page before its own scripts. Which way is looked up when a connection is made:
 * media by TCP without TURN, unless the test has chosen TURN.
 */
function leaveOneWay() {
  const Native = window.RTCPeerConnection;
  const byTurn = () => sessionStorage.getItem("wayOfTest") === "turn";
  window.RTCPeerConnection = class extends Native {
    constructor(configuration, ...rest) {
      super(byTurn() ? configuration : { ...configuration, iceServers: [] }, ...rest);
    }

    setRemoteDescription({ type, sdp }) {
      const kept = byTurn() ? sdp.replace(/^a=candidate:\S+ \d tcp .*\r\n/gim, "") : sdp;
      return super.setRemoteDescription({ type, sdp: kept });
    }
  };
}

export function prepare(page) {
  return page.addInitScript(leaveOneWay);
}

/** From the next load of the page on. */
export function chooseTurn(page) {
  return page.evaluate(() => sessionStorage.setItem("wayOfTest", "turn"));
}

/** The pair that carries the page's media. */
export function path(page) {
  return page.evaluate(async () => {
    const connection = window.connectionsOfTest.findLast((one) => one.connectionState === "connected");
    const entries = [...(await connection.getStats()).values()];
    const { selectedCandidatePairId } = entries.find((one) => one.type === "transport");
    const pair = entries.find((one) => one.id === selectedCandidatePairId);
    const [local, remote] = [pair.localCandidateId, pair.remoteCandidateId].map((id) =>
      entries.find((one) => one.id === id),
    );
    const { candidateType: by, protocol, relayProtocol, url } = local;
    return { by, protocol, relayProtocol, url, to: `${remote.address}:${remote.port}`, tcpType: local.tcpType };
  });
}
