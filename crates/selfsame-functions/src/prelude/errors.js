// The error classes that Segment's functions throw. What becomes of each is decided by its name.
const errorClass = (name) => {
  const made = { [name]: class extends Error {
    constructor(message) {
      super(message);
      this.name = name;
    }
  } }[name];
  global[name] = made;
  return made;
};
const ValidationError = errorClass('ValidationError');
errorClass('EventNotSupported');
errorClass('InvalidEventPayload');
errorClass('RetryError');
errorClass('DropEvent');
