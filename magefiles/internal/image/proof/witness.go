package proof

import (
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// witness is an extra command that runs through the image's entry point after the check. An entry point that does not run its arguments passes any
// check: `bash -lc` runs only the first word, and a script without "$@" runs nothing. So the first witness is as many words as the check, with random
// words that it must print. If it succeeds without printing them, the check did not run either. An entry point may also ignore the exit status of its
// arguments, such as a script that continues after "$@" or pipes its output. Or it may print its arguments without running them. So the second
// witness must fail.
type witness []string

// newWitnesses returns two witnesses with as many words as the check. If the check is a single word, `says` is nil, because no command of one word
// prints a text that is known in advance.
func newWitnesses(check []string) (says, fails witness) {
	if len(check) == 1 {
		return nil, witness{makeWord()}
	}
	says, fails = witness{"echo"}, witness{"false"}
	for range len(check) - 1 {
		says, fails = append(says, makeWord()), append(fails, makeWord())
	}
	return says, fails
}

// failsAloud is a shell script that prints its arguments and fails.
const failsAloud = `echo "$0" "$@"; exit 1`

// newLoud returns a single command that combines both witnesses, for images with a shell: its output and its failure prove in one step what the two
// witnesses prove. It has at least as many words as the check. If it does not both print and fail, the two separate witnesses decide. For a check of
// one word, newLoud returns nil.
func newLoud(check []string) witness {
	if len(check) == 1 {
		return nil
	}
	loud := witness{"sh", "-c", failsAloud}
	for range max(1, len(check)-len(loud)) {
		loud = append(loud, makeWord())
	}
	return loud
}

// proves reports whether the failed step is this witness, made by newLoud, and its words were printed.
func (w witness) proves(record, step string) bool {
	want := strings.Join(w[3:], " ")
	return w.failedAt(step) && slices.ContainsFunc(buildx.PrintedBySteps(record), func(line string) bool {
		before, found := strings.CutSuffix(line, want)
		return found && !strings.Contains(before, failsAloud)
	})
}

func makeWord() string { return "witness-" + strings.ToLower(rand.Text()) }

// mark returns a word that occurs only in this step of the build.
func (w witness) mark() string { return w[len(w)-1] }

// spoke reports whether a build's record contains the line that the witness must print. A log prefix may precede it. A shell trace of the command
// does not count.
func (w witness) spoke(record string) bool {
	want := strings.Join(w[1:], " ")
	return slices.ContainsFunc(buildx.PrintedBySteps(record), func(line string) bool {
		before, found := strings.CutSuffix(line, want)
		return found && !strings.Contains(before, w[0])
	})
}

// failedAt reports whether the failed step is this witness.
func (w witness) failedAt(step string) bool {
	name, _, _ := strings.Cut(step, "\n")
	return strings.Contains(name, w.mark())
}

// listen decides whether a build proves that the check passed. The build ran the check, and then the witnesses up to `step`, which failed; "" if
// none failed.
func (p *Prover) listen(one registry.Image, record, step string, says witness) error {
	switch {
	case says != nil && step != "" && says.failedAt(step):
		return nil // the check passed; the entry point only treats the witness differently
	case says != nil && !says.spoke(record), says == nil && step == "":
		return p.explainUnheard(one, "cannot prove that the image of %s ran its check on %s, because the entry point %s also succeeds with another command",
			`make the entry point run the command that it gets as arguments: write ENTRYPOINT ["program", "argument"], end a script with exec "$@", or remove -c before a command`)
	case step == "":
		return p.explainUnheard(one, "cannot prove that the image of %s passes its check on %s, because the entry point %s also succeeds with a command that fails",
			`make the entry point exit with the status of the command that it gets as arguments: end a script with exec "$@", without a pipe or another command after it`)
	}
	return nil
}

func (p *Prover) explainUnheard(one registry.Image, format, next string) error {
	text, err := json.Marshal(one.Entrypoint)
	if err != nil {
		return err
	}
	return operr.New(next+"; no tag was moved", format, p.Name, one.Platform, text)
}
