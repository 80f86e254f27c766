package publishing

import (
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Flags are those of `publish`.
type Flags struct {
	Force   bool   // replace files that have other bytes on the channel
	From    string // a folder with what build:all made, which is sent as it is; "" builds
	Digests string // what another job of the run said it made; "" where it is known here
	Check   bool   // install and import what lies in From, and send nothing
	Verify  bool   // see what is on the channel, and send nothing
}

// Sends reports whether something may be sent.
func (f Flags) Sends() bool { return !f.Check && !f.Verify }

// Fit refuses flags that ask for two things at once.
func (f Flags) Fit() error {
	switch {
	case f.Verify && (f.Check || f.From != "" || f.Force):
		return operr.NewUsage("say -verify alone, or with -digests", "-verify looks at what is on the channel, and at nothing else")
	case f.Check && f.From == "":
		return operr.NewUsage("say which folder: -from=output", "-check installs and imports what is in a folder")
	case f.Check && f.Force:
		return operr.NewUsage("leave one of them out", "-check sends nothing, and -force is about what is sent")
	case f.Digests != "" && f.From == "" && !f.Verify:
		return operr.NewUsage("say where the files are: -from=DIR", "-digests names files of a folder")
	}
	return nil
}

// CheckPublisher refuses a word that does not say who publishes; "" leaves it to the manifest.
func CheckPublisher(by string) error {
	if by != "" && by != settings.PublishHere && by != settings.PublishCI {
		return operr.NewUsage("say -publish=here or -publish=ci", "-publish=%s does not say who publishes", by)
	}
	return nil
}
