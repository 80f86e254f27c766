package publishing

import (
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Flags holds the flags of `publish`.
type Flags struct {
	Force   bool   // replace files whose bytes differ on the channel
	From    string // folder with the output of build:all, which is uploaded as it is; "" to build here
	Digests string // digests from another job of the run; "" if there are none
	Check   bool   // install and import the packages in From, but send nothing
	Verify  bool   // verify the packages on the channel, but send nothing

	NoDigests bool // -digests was passed, but is empty
}

// Sends reports whether the run may upload something.
func (f Flags) Sends() bool { return !f.Check && !f.Verify }

// Fit returns an error if the flags do not fit together.
func (f Flags) Fit() error {
	switch {
	case f.Verify && (f.Check || f.From != "" || f.Force):
		return operr.NewUsage("pass -verify alone, or with -digests", "-verify cannot be combined with -check, -from or -force, because -verify checks only the packages on the channel")
	case f.Check && f.From == "":
		return operr.NewUsage("name the folder with the packages: -from=output", "-check installs and imports the packages in the folder of -from, but -from is missing")
	case f.Check && f.Force:
		return operr.NewUsage("pass -check or -force, but not both", "-check uploads nothing, but -force uploads files that replace those on the channel")
	case f.Digests != "" && f.From == "" && !f.Verify:
		return operr.NewUsage("name the folder with the files: -from=DIR", "-digests describes the files in the folder of -from, but -from is missing")
	case f.NoDigests: // otherwise nothing would be verified
		return operr.NewUsage("pass the digests that the building job reported: on GitHub, use ${{ needs.build.outputs.digests }}, and list the job `build` under `needs`", "-digests is empty")
	}
	return nil
}

// CheckPublisher checks the value of -publish: here, ci or "". "" leaves the choice to the manifest.
func CheckPublisher(by string) error {
	if by != "" && by != settings.PublishHere && by != settings.PublishCI {
		return operr.NewUsage("pass -publish=here or -publish=ci", "-publish=%s is not a known value", by)
	}
	return nil
}
