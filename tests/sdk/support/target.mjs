/** The server under test; `run.sh` sets these. */
function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; see tests/sdk/README.md`);
  return value;
}

export const target = {
  url: required("SELFSAME_URL").replace(/\/$/, ""),
  writeKey: required("SELFSAME_WRITE_KEY"),
  token: required("SELFSAME_TOKEN"),
  space: required("SELFSAME_SPACE"),
};
