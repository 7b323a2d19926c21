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
const STYLE: &str = "body{font:1.1rem/1.6 system-ui,sans-serif;margin:1rem auto;max-width:40rem;\
                     padding:0 1rem;color:#17324a;background:#f6f8f9}h1{font-size:1.5rem}\
                     ul{list-style:none;padding:0}li{padding:.6rem 0;border-top:1px solid #b9c6cf}\
                     small,dt{color:#41586a}dd{margin:0 0 .6rem}small{overflow-wrap:anywhere}\
                     a{color:#0b5566;display:inline-block;padding:.5rem 0}";

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
    let none = "<li>機器がありません / no device</li>";
    let devices = if devices.is_empty() { none } else { &devices };
    format!(
        "<!doctype html><html lang=\"ja\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Minato</title>\
         <style>{STYLE}</style></head><body><main><h1>診療所の箱 <small>The clinic's box</small></h1>\
         <dl><dt>番号 / number</dt><dd>{identity}</dd>\
         <dt>回線 / line</dt><dd>{link}</dd>\
         <dt>未送信 / waiting</dt><dd>{}</dd><dt>保存場所 / disk</dt><dd>{disk}</dd>{}</dl>\
         <a href=\"/\">読み直す / look again</a><h2>機器 / devices</h2><ul>{devices}</ul>\
         </main></body></html>",
        head.waiting,
        own.unwrap_or_default(),
    )
}

fn line(status: &DeviceStatus) -> String {
    let state = if status.connected { "応答中 / answers" } else { "応答なし / silent" };
    let battery = status.battery_percent.map(|percent| format!(" · 電池 / battery {percent}%"));
    let trouble = status.trouble.map(|trouble| format!("<br>{}", trouble_words(trouble)));
    let (battery, trouble) = (battery.unwrap_or_default(), trouble.unwrap_or_default());
    format!(
        "<li><strong>{}</strong> · {state}{battery}{trouble}<br><small>{} · {}</small></li>",
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
