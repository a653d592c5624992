/**
 * Names that changed from Python 2 to Python 3: what `fixImports` goes by. The
 * tables are those of CPython 3.13's `Lib/_compat_pickle.py`.
 *
 * @module
 */

/** Python 2 > Python 3, both ways. */
const MODULES = `
__builtin__ > builtins
copy_reg > copyreg
Queue > queue
SocketServer > socketserver
ConfigParser > configparser
repr > reprlib
tkFileDialog > tkinter.filedialog
tkSimpleDialog > tkinter.simpledialog
tkColorChooser > tkinter.colorchooser
tkCommonDialog > tkinter.commondialog
Dialog > tkinter.dialog
Tkdnd > tkinter.dnd
tkFont > tkinter.font
tkMessageBox > tkinter.messagebox
ScrolledText > tkinter.scrolledtext
Tkconstants > tkinter.constants
ttk > tkinter.ttk
Tkinter > tkinter
markupbase > _markupbase
_winreg > winreg
thread > _thread
dummy_thread > _dummy_thread
dbhash > dbm.bsd
dumbdbm > dbm.dumb
dbm > dbm.ndbm
gdbm > dbm.gnu
xmlrpclib > xmlrpc.client
SimpleXMLRPCServer > xmlrpc.server
httplib > http.client
htmlentitydefs > html.entities
HTMLParser > html.parser
Cookie > http.cookies
cookielib > http.cookiejar
BaseHTTPServer > http.server
test.test_support > test.support
commands > subprocess
urlparse > urllib.parse
robotparser > urllib.robotparser
urllib2 > urllib.request
anydbm > dbm
_abcoll > collections.abc
`;

/** Only from 2 to 3. */
const MODULES_TO_3 = `
cPickle > pickle
_elementtree > xml.etree.ElementTree
FileDialog > tkinter.filedialog
SimpleDialog > tkinter.simpledialog
DocXMLRPCServer > xmlrpc.server
SimpleHTTPServer > http.server
CGIHTTPServer > http.server
UserDict > collections
UserList > collections
UserString > collections
whichdb > dbm
StringIO > io
cStringIO > io
`;

/** Only from 3 to 2, written Python 3 > Python 2. */
const MODULES_TO_2 = `
_bz2 > bz2
_dbm > dbm
_functools > functools
_gdbm > gdbm
_pickle > pickle
`;

/** Of `exceptions` in Python 2, of `builtins` in Python 3. */
const EXCEPTIONS = `
ArithmeticError AssertionError AttributeError BaseException BufferError
BytesWarning DeprecationWarning EOFError EnvironmentError Exception
FloatingPointError FutureWarning GeneratorExit IOError ImportError
ImportWarning IndentationError IndexError KeyError KeyboardInterrupt
LookupError MemoryError NameError NotImplementedError OSError OverflowError
PendingDeprecationWarning ReferenceError RuntimeError RuntimeWarning
StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError
TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError
UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning
ZeroDivisionError
`;

/** Python 3's kinds of OSError, which is what they are in Python 2. */
const OS_ERRORS = `
BrokenPipeError ChildProcessError ConnectionAbortedError ConnectionError
ConnectionRefusedError ConnectionResetError FileExistsError FileNotFoundError
InterruptedError IsADirectoryError NotADirectoryError PermissionError
ProcessLookupError TimeoutError
`;

/** Python 2 > Python 3, both ways. */
const NAMES = `
__builtin__ xrange > builtins range
__builtin__ reduce > functools reduce
__builtin__ intern > sys intern
__builtin__ unichr > builtins chr
__builtin__ unicode > builtins str
__builtin__ long > builtins int
itertools izip > builtins zip
itertools imap > builtins map
itertools ifilter > builtins filter
itertools ifilterfalse > itertools filterfalse
itertools izip_longest > itertools zip_longest
UserDict IterableUserDict > collections UserDict
UserList UserList > collections UserList
UserString UserString > collections UserString
whichdb whichdb > dbm whichdb
_socket fromfd > socket fromfd
_multiprocessing Connection > multiprocessing.connection Connection
multiprocessing.process Process > multiprocessing.context Process
multiprocessing.forking Popen > multiprocessing.popen_fork Popen
urllib ContentTooShortError > urllib.error ContentTooShortError
urllib getproxies > urllib.request getproxies
urllib pathname2url > urllib.request pathname2url
urllib quote_plus > urllib.parse quote_plus
urllib quote > urllib.parse quote
urllib unquote_plus > urllib.parse unquote_plus
urllib unquote > urllib.parse unquote
urllib url2pathname > urllib.request url2pathname
urllib urlcleanup > urllib.request urlcleanup
urllib urlencode > urllib.parse urlencode
urllib urlopen > urllib.request urlopen
urllib urlretrieve > urllib.request urlretrieve
urllib2 HTTPError > urllib.error HTTPError
urllib2 URLError > urllib.error URLError
multiprocessing AuthenticationError > multiprocessing.context AuthenticationError
multiprocessing BufferTooShort > multiprocessing.context BufferTooShort
multiprocessing ProcessError > multiprocessing.context ProcessError
multiprocessing TimeoutError > multiprocessing.context TimeoutError
`;

/** Only from 2 to 3. */
const NAMES_TO_3 = `
__builtin__ basestring > builtins str
exceptions StandardError > builtins Exception
UserDict UserDict > collections UserDict
socket _socketobject > socket SocketType
`;

/** Only from 3 to 2, written Python 3 > Python 2. */
const NAMES_TO_2 = `
_functools reduce > __builtin__ reduce
tkinter.filedialog FileDialog > FileDialog FileDialog
tkinter.filedialog LoadFileDialog > FileDialog LoadFileDialog
tkinter.filedialog SaveFileDialog > FileDialog SaveFileDialog
tkinter.simpledialog SimpleDialog > SimpleDialog SimpleDialog
xmlrpc.server ServerHTMLDoc > DocXMLRPCServer ServerHTMLDoc
xmlrpc.server XMLRPCDocGenerator > DocXMLRPCServer XMLRPCDocGenerator
xmlrpc.server DocXMLRPCRequestHandler > DocXMLRPCServer DocXMLRPCRequestHandler
xmlrpc.server DocXMLRPCServer > DocXMLRPCServer DocXMLRPCServer
xmlrpc.server DocCGIXMLRPCRequestHandler > DocXMLRPCServer DocCGIXMLRPCRequestHandler
http.server SimpleHTTPRequestHandler > SimpleHTTPServer SimpleHTTPRequestHandler
http.server CGIHTTPRequestHandler > CGIHTTPServer CGIHTTPRequestHandler
_socket socket > socket _socketobject
builtins ModuleNotFoundError > exceptions ImportError
`;

/** A class or function by module and name. */
export type PythonName = readonly [module: string, name: string];

function* rows(table: string): Generator<[string[], string[]], undefined> {
  for (const line of table.trim().split("\n")) {
    const [from = "", to = ""] = line.split(" > ");
    yield [from.split(" "), to.split(" ")];
  }
}

function key(module: string, name: string): string {
  return `${module} ${name}`;
}

const modulesTo3 = new Map<string, string>();
const modulesTo2 = new Map<string, string>();
const namesTo3 = new Map<string, PythonName>();
const namesTo2 = new Map<string, PythonName>();

for (const [[two], [three]] of rows(MODULES)) {
  modulesTo3.set(two!, three!);
  modulesTo2.set(three!, two!);
}
for (const [[two], [three]] of rows(MODULES_TO_3)) modulesTo3.set(two!, three!);
for (const [[three], [two]] of rows(MODULES_TO_2)) modulesTo2.set(three!, two!);
for (const [two, three] of rows(NAMES)) {
  namesTo3.set(two.join(" "), [three[0]!, three[1]!]);
  namesTo2.set(three.join(" "), [two[0]!, two[1]!]);
}
for (const [two, three] of rows(NAMES_TO_3)) {
  namesTo3.set(two.join(" "), [three[0]!, three[1]!]);
}
for (const [three, two] of rows(NAMES_TO_2)) {
  namesTo2.set(three.join(" "), [two[0]!, two[1]!]);
}
for (const name of EXCEPTIONS.trim().split(/\s+/)) {
  namesTo3.set(key("exceptions", name), ["builtins", name]);
  namesTo2.set(key("builtins", name), ["exceptions", name]);
}
for (const name of OS_ERRORS.trim().split(/\s+/)) {
  namesTo2.set(key("builtins", name), ["exceptions", "OSError"]);
}

/**
 * What Python 3 calls a class or function that a pickle names in Python 2's
 * way.
 *
 * @param module The module in Python 2.
 * @param name The name in Python 2.
 * @returns Module and name in Python 3, which may be the same.
 */
export function toPython3Name(module: string, name: string): PythonName {
  return namesTo3.get(key(module, name)) ??
    [modulesTo3.get(module) ?? module, name];
}

/**
 * What Python 2 calls a class or function of Python 3.
 *
 * @param module The module in Python 3.
 * @param name The name in Python 3.
 * @returns Module and name in Python 2, which may be the same.
 */
export function toPython2Name(module: string, name: string): PythonName {
  return namesTo2.get(key(module, name)) ??
    [modulesTo2.get(module) ?? module, name];
}
