//! The box's own page on the clinic's network, for whoever stands before the wall: how it is, what
//! hangs, how much waits. It runs no script, and says nothing of any patient: not who wears what, not
//! even whether anybody does.

use super::Lan;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use minato_protocol::reading::DeviceKind;
use minato_protocol::uplink::{DeviceStatus, Trouble};

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
                      base-uri 'none'; form-action 'none'";
const STYLE: &str = "body{font:1.1rem/1.6 system-ui,sans-serif;margin:2rem auto;max-width:48rem;\
                     padding:0 1rem;color:#17324a;background:#f6f8f9}\
                     table{border-collapse:collapse;width:100%}\
                     td,th{text-align:left;padding:.5rem;border-top:1px solid #b9c6cf}\
                     small{color:#41586a}dt{color:#41586a}dd{margin:0 0 .6rem}";

/// `GET /`.
pub(super) async fn status(State(lan): State<Lan>) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, whole(&lan)).into_response()
}

/// `GET /ca.pem`: what a tablet is told to trust, where the box made its certificate itself.
pub(super) async fn authority(State(lan): State<Lan>) -> Response {
    let Some(own) = &lan.own else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (CONTENT_TYPE, "application/x-pem-file"),
        (CONTENT_DISPOSITION, "attachment; filename=\"minato-box.pem\""),
    ];
    (headers, own.pem.clone()).into_response()
}

fn whole(lan: &Lan) -> String {
    let head = lan.ledger.head().borrow().clone();
    let link = if lan.link.borrow().connected {
        "つながっています / connected"
    } else {
        "切れています。測定は続けられます / cut off; measuring goes on"
    };
    let disk = if head.is_full() {
        "いっぱいです / full"
    } else {
        "余裕があります / has room"
    };
    let identity = lan.identity.borrow().map_or_else(
        || "未登録 / not enrolled".to_owned(),
        |known| format!("{} · {}", known.gateway, known.site),
    );
    let own = lan.own.as_ref().map(|own| {
        format!(
            "<dt>証明書 SHA-256 / certificate</dt><dd><small>{}</small> \
             <a href=\"/ca.pem\">minato-box.pem</a></dd>",
            own.fingerprint
        )
    });
    let devices: String = lan.devices.borrow().iter().map(line).collect();
    let none = "<tr><td colspan=\"4\">機器がありません / no device</td></tr>";
    let devices = if devices.is_empty() { none } else { &devices };
    format!(
        "<!doctype html><html lang=\"ja\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta http-equiv=\"refresh\" content=\"10\"><title>Minato</title>\
         <style>{STYLE}</style></head><body><main><h1>診療所の箱 <small>The clinic's box</small></h1>\
         <dl><dt>番号 / number</dt><dd>{identity}</dd>\
         <dt>回線 / line</dt><dd>{link}</dd>\
         <dt>未送信 / waiting</dt><dd>{}</dd><dt>保存場所 / disk</dt><dd>{disk}</dd>{}</dl>\
         <table><thead><tr><th>機器 / device</th><th>状態 / state</th><th>電池 / battery</th>\
         <th>困りごと / trouble</th></tr></thead><tbody>{devices}</tbody></table>\
         </main></body></html>",
        head.waiting,
        own.unwrap_or_default(),
    )
}

fn line(status: &DeviceStatus) -> String {
    let state = if status.connected { "応答中 / answers" } else { "応答なし / silent" };
    let battery = status.battery_percent.map(|percent| format!("{percent}%")).unwrap_or_default();
    let trouble = status.trouble.map(trouble_words).unwrap_or_default();
    format!(
        "<tr><td>{}<br><small>{} · {}</small></td><td>{state}</td><td>{battery}</td>\
         <td>{trouble}</td></tr>",
        kind_words(status.kind),
        escaped(&status.model),
        escaped(status.device.as_str()),
    )
}

/// What a device calls itself is anybody's word.
fn escaped(text: &str) -> String {
    let one = |letter| match letter {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        plain => plain.to_string(),
    };
    text.chars().map(one).collect()
}

const fn kind_words(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Cuff => "血圧計 / cuff",
        DeviceKind::Oximeter => "パルスオキシメータ / oximeter",
        DeviceKind::Thermometer => "体温計 / thermometer",
        DeviceKind::HeartMonitor => "心拍計 / heart monitor",
        DeviceKind::Scale => "体重計 / scale",
        DeviceKind::GlucoseMeter => "血糖計 / glucose meter",
        DeviceKind::Person => "手入力 / typed",
    }
}

const fn trouble_words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::NoBattery => "電池がありません / no battery",
        Trouble::NotPaired => "登録されていません / not paired",
        Trouble::CuffLoose => "カフがゆるい / cuff too loose",
        Trouble::BodyMoved => "体が動きました / body moved",
        Trouble::OutOfRange => "電波が届きません / out of range",
        Trouble::ClockWrong => "時計がずれています / clock wrong",
        Trouble::HeldElsewhere => "別の端末が使用中 / held elsewhere",
        Trouble::SensorOff => "センサーが外れています / sensor off",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_calls_itself_a_script_stays_a_name() {
        assert_eq!(
            escaped("<script>alert(\"x\")</script>&"),
            "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;"
        );
    }
}
