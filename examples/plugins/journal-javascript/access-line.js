// Parses a line of an access log in the combined format, strictly.
//
//   HOST IDENT USER [TIME] "METHOD TARGET PROTOCOL" STATUS BYTES "REFERER" "AGENT"
//
// Any other line is not understood: it is counted, never guessed at. Servers write control
// characters as escapes, so a line with a control character is not from a server.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/u;
const LINE = new RegExp(
  [
    "^(?<host>[^ ]+) [^ ]+ [^ ]+",
    `\\[(?<day>0[1-9]|[12][0-9]|3[01])/(?<month>${MONTHS.join("|")})/(?<year>[0-9]{4})` +
      ":(?<clock>(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60))",
    "(?<hours>[+-][0-9]{2})(?<minutes>[0-9]{2})\\]",
    // Inside quotes, a backslash and a printable ASCII character form one escape.
    '"(?<method>[A-Z]+)',
    '(?<target>(?:[^ "\\\\]|\\\\[!-~])+)',
    'HTTP/[0-9](?:\\.[0-9])?"',
    "(?<status>[1-5][0-9]{2}) (?:[0-9]+|-)",
    '"(?:[^"\\\\]|\\\\[!-~])*" "(?:[^"\\\\]|\\\\[!-~])*"$',
  ].join(" "),
  "u",
);
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// Parses a line (bytes) without its line ending; null if it is not understood. `time` is in RFC
// 3339 with the server's own offset; `path` is the target without its query.
export function parse(line) {
  const text = decoded(line);
  if (text === null || CONTROL.test(text)) return null;
  const found = LINE.exec(text)?.groups;
  if (!found) return null;
  const month = String(MONTHS.indexOf(found.month) + 1).padStart(2, "0");
  const date = `${found.year}-${month}-${found.day}`;
  return {
    time: `${date}T${found.clock}${found.hours}:${found.minutes}`,
    host: found.host,
    method: found.method,
    path: found.target.split("?", 1)[0],
    status: Number(found.status),
  };
}

function decoded(bytes) {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}
