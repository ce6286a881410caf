//! What a channel is told: one turn of an alert, in words and as JSON.

use selfsame_alert::{Severity, Turn, TurnKind};
use selfsame_event::Time;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::node::Node;

/// What a channel is told.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    /// The same however often it is sent.
    pub(super) id: String,
    pub(super) at: Time,
    workspace: String,
    alert: String,
    name: String,
    condition: String,
    subject: String,
    kind: &'static str,
    severity: Severity,
    sentence: String,
}

impl Notice {
    /// What is told of a turn.
    pub(super) fn of(node: &Node, turn: &Turn) -> Self {
        let workspace = workspace(node);
        let at = Time::from_micros(turn.at.saturating_mul(1_000_000));
        let of = format!("{}\n{}\n{at}", workspace.1, turn.number);
        Self {
            id: named(&of),
            at,
            workspace: workspace.0,
            alert: turn.alert.clone(),
            name: turn.name.clone(),
            condition: turn.condition.clone(),
            subject: turn.subject.clone(),
            kind: match turn.kind {
                TurnKind::Raised => "alert.raised",
                TurnKind::Cleared => "alert.cleared",
            },
            severity: turn.severity,
            sentence: turn.sentence.clone(),
        }
    }

    /// What a channel is told to see whether it works.
    pub(crate) fn test(node: &Node) -> Self {
        let at = node.clock.wall();
        Self {
            id: named(&format!("test\n{at}\n{}", crate::chance::token("", 16))),
            at,
            workspace: workspace(node).0,
            alert: "test".to_owned(),
            name: "A test".to_owned(),
            condition: "test".to_owned(),
            subject: "channel".to_owned(),
            kind: "alert.test",
            severity: Severity::Warning,
            sentence: "somebody asked whether this channel works; there is nothing to do"
                .to_owned(),
        }
    }

    /// One line.
    pub(super) fn title(&self) -> String {
        let turned = match self.kind {
            "alert.raised" => match self.severity {
                Severity::Warning => "Warning",
                Severity::Critical => "Critical",
            },
            "alert.cleared" => "Over",
            _ => "Test",
        };
        format!("{turned}: {} ({})", self.name, self.subject)
    }

    /// Everything, in a few lines.
    pub(super) fn text(&self) -> String {
        let Self { sentence, alert, subject, workspace, at, .. } = self;
        format!(
            "{subject}: {sentence}.\n\nAlert {alert} of the workspace {workspace}, at {at}.\n\
             `selfsame alert show {alert}` says how it is now; `selfsame alert silence {alert}` has nobody \
             told for a while.\n"
        )
    }

    /// Everything, as JSON.
    pub(super) fn json(&self) -> Value {
        json!({
            "type": self.kind,
            "id": self.id,
            "timestamp": self.at.to_string(),
            "workspace": self.workspace,
            "data": {
                "alert": self.alert,
                "name": self.name,
                "condition": self.condition,
                "severity": self.severity.word(),
                "subject": self.subject,
                "message": self.sentence,
            },
        })
    }
}

/// The name of the workspace, and what no other workspace has.
fn workspace(node: &Node) -> (String, String) {
    let Some(view) = node.view() else { return (String::new(), String::new()) };
    let workspace = &view.meta.workspace;
    let own = Sha256::digest(workspace.secret.as_bytes());
    (workspace.name.clone(), own.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

fn named(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let digits: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("alert_{digits}")
}
