// What --help says, as mdoc: settings of the servers, flags and verbs of worldctl.

/** Text as mdoc has it: a sentence a line, and nothing in it is a request or an escape. */
export function prose(text) {
  const lines = text.trim().replace(/\\/g, "\\e").replace(/(?<!\be\.g)([.!?])\s+(?=[A-Z"{(])/g, "$1\n").split("\n");
  return lines.map((line) => line.trim().replace(/^(?=[.'])/, "\\&")).join("\n");
}

const word = (text) => (text === "" ? "" : text.replace(/\\/g, "\\e"));

/** Rows of `--help` of a server: name, type, help, default and bounds, whether a file may hold it. */
export function settingsOf(help) {
  const row = /^ {2}--(\S+) (\S+) {4}environment: ([A-Z0-9_]+)(, or the path of a file: .*)?\n {8}(.*)\n {8}(.*)$/gm;
  return [...help.matchAll(row)].map(([, flag, type, name, file, what, rest]) => {
    const reload = rest.endsWith("; SIGHUP reads it again");
    return { flag, type, name, file: !!file, what, rest: rest.replace(/; SIGHUP reads it again$/, ""), reload };
  });
}

export function settingsBlock(help) {
  return settingsOf(help).map((s) => {
    const names = `.It Ev ${s.name} , Fl -${s.flag} Ar ${word(s.type)}`;
    const file = s.file ? `\nA file may hold it:\n.Ev ${s.name}_FILE ,\n.Fl -${s.flag}-file Ar PATH .` : "";
    const reload = s.reload ? `\n.Dv SIGHUP\nreads it again.` : "\nTo change it takes a restart.";
    return `${names}\n${prose(s.what)}${file}\n.br\n${prose(`${s.rest}.`)}${reload}`;
  }).join("\n");
}

// "  -o, --output FORM       table or json": [letter, name, value, help]
const flagRow = /^ {2}(?:-(\w), )?--([\w-]+)(?: (\S+))? {2,}(\S.*)$/gm;

function flagItems(text) {
  return [...text.matchAll(flagRow)].map(([, letter, name, value, help]) => {
    const short = letter ? `Fl ${letter} , ` : "";
    return `.It ${short}Fl -${name}${value ? ` Ar ${word(value)}` : ""}\n${prose(help)}`;
  });
}

const list = (items) => `.Bl -tag -width Ds -compact\n${items.join("\n")}\n.El`;

function argumentsOf(text) {
  return text.split(" ").filter(Boolean).map((a) => {
    const [, optional, name] = a.match(/^(\[?)([^\]]*)\]?$/);
    const shown = name.replace(/\.\.\.$/, " ...");
    return optional ? ` Op Ar ${shown}` : ` Ar ${shown}`;
  }).join("");
}

export const globalFlags = (help) => flagItems(help.slice(help.indexOf("\nFlags of all verbs:"))).join("\n");

/** The verbs' names and arguments, in the order of `worldctl --help`. */
export function verbsOf(help) {
  const rows = help.slice(0, help.indexOf("\nFlags of all verbs:")).matchAll(/^ {2}([a-z-]+(?: [a-z-]+)*)((?: (?:[A-Z]+|\[[A-Z.]+\]))*) {2,}\S/gm);
  return [...rows].map(([, name, args]) => ({ name, args: args.trim() }));
}

/** One verb, from `worldctl VERB --help`. */
export function verbItem({ name, args }, help) {
  const [own] = help.split("\nFlags of all verbs:");
  const [text, flags = ""] = own.split("\nFlags:\n");
  const said = text.split("\n").slice(2).join(" ").trim();
  const items = flagItems(flags);
  return `.It Cm ${name}${argumentsOf(args)}${items.length ? " Op Ar FLAG ..." : ""}\n${prose(said[0].toUpperCase() + said.slice(1))}${items.length ? `\n${list(items)}` : ""}`;
}
