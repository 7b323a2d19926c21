//! A browser: keeps its cookie and what its page drew, and says where it comes from.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use minato_protocol::Code;
use minato_protocol::entry::{Entry, HttpRefusal, TransferCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tower::ServiceExt as _;

pub(crate) const HOST: &str = "clinic.example";

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn entry(&self) -> Entry {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).expect("an entry")
    }

    pub(crate) fn refusal(&self) -> (u16, Code) {
        let refusal: HttpRefusal = serde_json::from_slice(&self.body).expect("a refusal");
        assert_eq!(refusal.message, refusal.code.sentence());
        (self.status.as_u16(), refusal.code)
    }

    pub(crate) fn transfer_code(&self) -> String {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice::<TransferCode>(&self.body).expect("a code").code
    }

    pub(crate) fn set_cookie(&self) -> Option<&str> {
        self.headers.get(header::SET_COOKIE).map(|value| value.to_str().expect("ASCII"))
    }
}

#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) router: axum::Router,
    pub(crate) cookie: Option<String>,
    pub(crate) drawn: String,
    pub(crate) address: SocketAddr,
    pub(crate) origin: Option<String>,
}

impl Browser {
    pub(super) fn new(router: axum::Router) -> Self {
        let address = "192.0.2.1:40000".parse().expect("an address");
        let origin = Some(format!("http://{HOST}"));
        Self { router, cookie: None, drawn: super::drawn(), address, origin }
    }

    pub(crate) fn at(mut self, host: &str) -> Self {
        self.address = format!("{host}:40000").parse().expect("an address");
        self
    }

    pub(crate) async fn join(&mut self, secret: &str) -> Answer {
        let body = json!({"secret": secret, "browser": self.drawn});
        self.post("/api/join", body).await
    }

    pub(crate) async fn join_spoken(&mut self, code: &str) -> Answer {
        let body = json!({"code": code, "browser": self.drawn});
        self.post("/api/join/spoken", body).await
    }

    pub(crate) async fn transfer(&mut self) -> Answer {
        self.post("/api/transfer", Value::Null).await
    }

    pub(crate) async fn transfer_use(&mut self, code: &str) -> Answer {
        let body = json!({"code": code, "browser": self.drawn});
        self.post("/api/transfer/use", body).await
    }

    pub(crate) async fn sign_in(&mut self, account: &str, password: &str, totp: &str) -> Answer {
        let body = json!({"account": account, "password": password, "totp": totp});
        self.post("/api/sign-in", body).await
    }

    pub(crate) async fn sign_in_once(&mut self, secret: &str) -> Answer {
        self.post("/api/sign-in/once", json!({"secret": secret})).await
    }

    pub(crate) async fn sign_out(&mut self) -> Answer {
        self.post("/api/sign-out", Value::Null).await
    }

    pub(crate) async fn me(&mut self) -> Answer {
        self.ask(Method::GET, "/api/me", Body::empty()).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Body::from(body.to_string())).await
    }

    /// Sends a request as a browser does and keeps the cookie that comes back.
    pub(crate) async fn ask(&mut self, method: Method, path: &str, body: Body) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, HOST)
            .header(header::CONTENT_TYPE, "application/json")
            .extension(ConnectInfo(self.address));
        if let Some(origin) = &self.origin {
            request = request.header(header::ORIGIN, origin);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("minato={cookie}"));
        }
        self.send(request.body(body).expect("a request")).await
    }

    pub(crate) async fn send(&mut self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("a router answers");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 64 * 1024).await.expect("a short body").to_vec();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        if let Some(text) = answer.set_cookie() {
            let value = text.strip_prefix("minato=").expect("our cookie");
            let value = value.split(';').next().unwrap_or_default();
            self.cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        answer
    }
}
