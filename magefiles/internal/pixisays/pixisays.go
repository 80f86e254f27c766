// Package pixisays has the sentences of pixi, and of rattler below it, that anything here is decided by: pixi has exit status 1 for all that
// goes wrong. They are regular expressions for a text that [Unwrapped] has gone over. What each means for an operator is said where pixi is
// run, or an image is built with it.
//
// A sentence that a newer pixi words otherwise is put right here: each stands for pixi 0.77, and for earlier ones where that is noted.
package pixisays

import (
	"regexp"
	"strings"
	"sync"
)

// Of a manifest and its lock file.
const (
	LockNotUpToDate = `lock[- ]file (?:is )?not up-to-date`                                                             // earlier ones have a hyphen
	LockTooNew      = `Lock-file version \d+ is newer than supported`                                                   // by the pixi that reads it
	OtherPixi       = `this project requires pixi '([^']+)', but you have pixi ([\w.]+)`                                // what it requires, and what it is
	NoWorkspace     = `could not find (?:pixi\.toml|pyproject\.toml).*?(?: at directory (\S+))?$`                       // where
	NoEnvironment   = `unknown environment '([^']*)'`                                                                   // its name
	RunsWithSources = `package '?([^' ]+)'? has source run dependencies \(([^)]*)\) and cannot be published on its own` // the package, and with whose
	SameOutput      = `packages '([^']*)' and '([^']*)' both produce an output named '([^']*)'`                         // the packages, and the name
	InvalidValue    = `error: invalid value '([^']*)' for '--([a-z-]+)[^']*'`                                           // the value, and the flag
	AlreadyExists   = `Skipping '([^']+)' \(already exists\)`                                                           // a file that is on the channel
)

// Unsolved begins what is said of an environment that cannot be had. Without it the rest may be the words of a task.
const Unsolved = `failed to solve requirements of environment '.*`

// Of channels that are solved with, and fetched from. A status is named in the words of the HTTP library.
const (
	NoCandidates   = `No candidates were found for (.+?)\.( |$)` // what asked for them
	NoSubdir       = `could not find subdir '[^']+' in channel`
	Refused        = `HTTP status client error \((401|403)\b` // the status
	TooMany        = `HTTP status client error \(429\b`
	BadCertificate = `(?:invalid peer certificate|UnknownIssuer)`
	ProxyLogin     = `(?i)(?:proxy authentication required|proxy authorization required)`
	NoConnection   = `client error \(Connect\)`
)

// pattern compiles when it is first used: most runs read nothing that pixi has said.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

var (
	color  = pattern("\x1b\\[[0-9;]*m")
	frame  = pattern(`[│├╰─▶×]`)
	broken = pattern(`(\w-)\n\s*`) // a word, where it is broken to fit a line
)

// Unwrapped is a text in one line, without colors and frames: pixi draws a box around its errors, and breaks them to fit a terminal.
func Unwrapped(text string) string {
	text = frame().ReplaceAllString(color().ReplaceAllString(text, ""), " ")
	return strings.Join(strings.Fields(broken().ReplaceAllString(text, "$1")), " ")
}
