//! The settings document that SDKs fetch before they send: a superset that satisfies each of them.

use serde_json::json;

/// The document of a write key, for a client that calls us by this scheme and host.
///
/// The API's address and protocol are ours, and so is the host of metrics: where an SDK finds none
/// here, it falls back to Segment's. Exactly one integration, or a browser loads another chunk.
pub(crate) fn document(key: &str, scheme: &str, host: &str) -> String {
    let api = format!("{host}/v1");
    json!({
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": api,
                "protocol": scheme,
                "addBundledMetadata": false,
                "unbundledIntegrations": [],
                "bundledConfigIds": [],
                "unbundledConfigIds": [],
                "maybeBundledConfigIds": {},
                "retryQueue": true,
                "versionSettings": { "version": "4.4.7", "componentTypes": ["browser"] }
            }
        },
        "plan": {
            "track": { "__default": { "enabled": true, "integrations": {} } },
            "identify": { "__default": { "enabled": true } },
            "group": { "__default": { "enabled": true } }
        },
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": { "routingRules": [] },
        "enabledMiddleware": {},
        "metrics": { "sampleRate": 0, "host": api },
        "legacyVideoPluginsEnabled": false,
        "remotePlugins": []
    })
    .to_string()
}
