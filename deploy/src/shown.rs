//! What is printed for whoever started a command, and is no log line.

use std::io::IsTerminal as _;

const BLACK_ON_WHITE: &str = "\u{1b}[30;107m";
const AS_BEFORE: &str = "\u{1b}[0m";

/// Prints a text.
#[expect(clippy::print_stdout, reason = "it is for whoever started the command")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// A QR code for a terminal: black on white whatever the terminal's own colours are, because many
/// authenticators do not read it the other way round.
pub(crate) fn qr(text: &str) -> anyhow::Result<String> {
    let code = qrcode::QrCode::new(text)?;
    let drawn = code.render::<qrcode::render::unicode::Dense1x2>().build();
    if !std::io::stdout().is_terminal() {
        return Ok(drawn);
    }
    let lines: Vec<String> =
        drawn.lines().map(|line| format!("{BLACK_ON_WHITE}{line}{AS_BEFORE}")).collect();
    Ok(lines.join("\n"))
}
