//! A server at work, seen by what it says of itself.

use std::time::Duration;

use reqwest::Method;

use super::Findings;
use crate::client::{Client, Remote, block_on};
use crate::settings::Settings;

/// A number of the server's metrics.
struct Metric<'t> {
    name: &'t str,
    labels: &'t str,
    value: f64,
}

pub(super) fn check(settings: &Settings, findings: &mut Findings) {
    let server = &settings.server;
    let scheme = if server.tls_cert.as_os_str().is_empty() { "http" } else { "https" };
    let public = format!("{scheme}://{}", server.listen);
    let control = match server.control_listen.as_str() {
        "" => public.clone(),
        control => format!("{scheme}://{control}"),
    };
    match ask(&public, "/readyz") {
        Ok(_) => findings.well("server", format!("{public} answers and is ready")),
        Err(error) => {
            let remedy =
                "look at its log; give the settings that it was started with, such as --listen";
            return findings.problem("server", format!("{error:#}"), remedy);
        }
    }
    match ask(&control, "/metrics") {
        Ok(text) => judge(&metrics(&text), findings),
        Err(error) => {
            let remedy = "run this on the server's machine";
            findings.notice("metrics", format!("{error:#}"), remedy);
        }
    }
}

fn ask(base: &str, path: &str) -> anyhow::Result<String> {
    let client: Client = Remote { server: base.to_owned(), token: None }.client()?;
    block_on(async {
        let request = client.request(Method::GET, path).timeout(Duration::from_secs(5));
        Ok(client.send(request).await?.text().await?)
    })
}

/// Reads the text format of metrics.
fn metrics(text: &str) -> Vec<Metric<'_>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &'_ str| -> Option<(usize, f64)> {
        let (series, value) = line.rsplit_once(' ')?;
        Some((series.len(), value.parse().ok()?))
    };
    lines
        .filter_map(|line| {
            let (length, value) = read(line)?;
            let (series, _) = line.split_at_checked(length)?;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            Some(Metric { name, labels: labels.trim_end_matches('}'), value })
        })
        .collect()
}

fn judge(metrics: &[Metric<'_>], findings: &mut Findings) {
    const MUCH: f64 = 100_000.0;
    let value = |name: &str| {
        metrics.iter().find(|metric| metric.name == name).map_or(0.0, |metric| metric.value)
    };
    let lag = value("selfsame_engine_lag_records");
    if lag > MUCH {
        let remedy = "wait; if it grows, the machine is too slow for what comes in";
        findings.notice("state", format!("{lag} requests wait to be folded"), remedy);
    } else {
        findings.well("state", format!("{lag} requests wait to be folded"));
    }
    let held = value("selfsame_log_clock_held_seconds");
    if held > 1.0 {
        let found = format!("it jumped {held} s ahead, which is not believed yet");
        findings.problem(
            "clock",
            found,
            "set the clock; or restart the server if the new time is right",
        );
    } else {
        findings.well("clock", "believed");
    }
    let window = value("selfsame_dedupe_window_shrunk_seconds");
    if window > 0.0 {
        let found = format!("message ids are remembered for only {} h", window / 3600.0);
        findings.notice("duplicates", found, "raise engine.dedupe_disk_bytes");
    }
    let all = |name: &'static str| metrics.iter().filter(move |metric| metric.name == name);
    for metric in all("selfsame_accounting_error").filter(|metric| metric.value > 0.0) {
        let found =
            format!("{} of {} deliveries are not accounted for", metric.value, metric.labels);
        findings.problem(
            "deliveries",
            found,
            "this is a defect: report it, with `selfsame verify`",
        );
    }
    for metric in all("selfsame_delivery_paused").filter(|metric| metric.value > 0.0) {
        let remedy = "mend its receiver, then `selfsame destination resume`, and for what it missed \
                      `selfsame destination resend`";
        findings.problem("deliveries", format!("{} is paused", metric.labels), remedy);
    }
    for metric in all("selfsame_delivery_lag_share").filter(|metric| metric.value >= 0.5) {
        let found =
            format!("{} is at {:.0} % of its lag limit", metric.labels, metric.value * 100.0);
        let remedy = "mend its receiver: at 100 % it is paused, and what it missed is sent again only \
                      when somebody asks; deliver.lag_limit_hours and deliver.lag_limit_bytes say where";
        match metric.value >= 0.8 {
            true => findings.problem("deliveries", found, remedy),
            false => findings.notice("deliveries", found, remedy),
        }
    }
    for metric in all("selfsame_delivery_missed_events").filter(|metric| metric.value > 0.0) {
        let found = format!("{} has missed {} events", metric.labels, metric.value);
        let remedy = "`selfsame destination dead-ranges` lists them, `resend --ranges` sends them";
        findings.notice("deliveries", found, remedy);
    }
    for metric in all("selfsame_delivery_lag_seconds").filter(|metric| metric.value > 60.0) {
        let found = format!("{} is {} s behind", metric.labels, metric.value);
        let remedy = "its receiver is slow or fails: `selfsame destination list` says why";
        findings.notice("deliveries", found, remedy);
    }
    for metric in all("selfsame_delivery_dead_events").filter(|metric| metric.value > 0.0) {
        let found = format!("{} has {} dead letters", metric.labels, metric.value);
        let remedy = "send them again once the receiver takes them, or they stay where they are";
        findings.notice("deliveries", found, remedy);
    }
    let pending: f64 = all("selfsame_delivery_pending_events").map(|metric| metric.value).sum();
    // The sum of nothing is a negative zero.
    let pending = pending.abs();
    findings.well("deliveries", format!("{pending} events wait to be delivered"));
}

#[cfg(test)]
mod tests;
