// Package pixisays has regular expressions for messages of pixi and its library rattler. They are needed to distinguish failures, because pixi
// exits with status 1 for all of them. They must be matched against the output of [Unwrap]. The next step for each failure is defined where pixi
// is run, or where an image is built with pixi.
//
// Update this file if a newer pixi changes its messages. The messages are those of pixi 0.77, and of earlier versions if a comment says so.
package pixisays

import (
	"regexp"
	"strings"
	"sync"
)

// Messages about a manifest and its lock file.
const (
	LockNotUpToDate = `lock[- ]file (?:is )?not up-to-date`                                                             // with a hyphen in earlier versions
	LockTooNew      = `Lock-file version \d+ is newer than supported`                                                   // the lock file is too new for this pixi
	OtherPixi       = `this project requires pixi '([^']+)', but you have pixi ([\w.]+)`                                // required and actual version
	NoWorkspace     = `could not find (?:pixi\.toml|pyproject\.toml).*?(?: at directory (\S+))?$`                       // the folder
	NoEnvironment   = `unknown environment '([^']*)'`                                                                   // name of the environment
	RunsWithSources = `package '?([^' ]+)'? has source run dependencies \(([^)]*)\) and cannot be published on its own` // package, and its sources
	SameOutput      = `packages '([^']*)' and '([^']*)' both produce an output named '([^']*)'`                         // packages, and the name
	InvalidValue    = `error: invalid value '([^']*)' for '--([a-z-]+)[^']*'`                                           // value, and flag
	AlreadyExists   = `Skipping '([^']+)' \(already exists\)`                                                           // file that is already on the channel
)

// Unsolved matches the beginning of the error for an environment that cannot be solved. The patterns of the causes are matched after it, because a
// task could print the same words.
const Unsolved = `failed to solve requirements of environment '.*`

// Messages about the channels that pixi solves with and fetches from. Status messages come from the HTTP library.
const (
	NoCandidates   = `No candidates were found for (.+?)\.( |$)` // the requirement
	NoSubdir       = `could not find subdir '[^']+' in channel`
	Refused        = `HTTP status client error \((401|403)\b` // the status
	TooMany        = `HTTP status client error \(429\b`
	BadCertificate = `(?:invalid peer certificate|UnknownIssuer)`
	ProxyLogin     = `(?i)(?:proxy authentication required|proxy authorization required)`
	NoConnection   = `client error \(Connect\)`
)

// pattern returns a function that compiles a regular expression on first use, because most runs do not parse pixi's output.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

var (
	color  = pattern("\x1b\\[[0-9;]*m")
	frame  = pattern(`[│├╰─▶×]`)
	broken = pattern(`(\w-)\n\s*`) // a word that was broken at the end of a line
)

// Unwrap returns text as a single line without colors or frames, because pixi draws a box around its errors and wraps them to the terminal width.
func Unwrap(text string) string {
	text = frame().ReplaceAllString(color().ReplaceAllString(text, ""), " ")
	return strings.Join(strings.Fields(broken().ReplaceAllString(text, "$1")), " ")
}
