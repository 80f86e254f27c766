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

// witness is a further command for the entry point of an image, behind its check. An entry point that does not run what it is given
// passes any check: `bash -lc` runs the first word alone, a script without "$@" runs none. So the first witness has as many words as the
// check, and the words are made up each time. Where they do not come out, and nothing fails, the check was not run either. An entry point
// may run what it is given, and pass whatever that ends with, as a script does that goes on behind "$@" or pipes it; or it may say
// what it was given, and run nothing. So the second one has to fail.
type witness []string

// newWitnesses are those for a check of as many words. Of one word no program prints anything that is known before: says is nil then.
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

// failsAloud is the end of a command that prints its words, and fails.
const failsAloud = `echo "$0" "$@"; exit 1`

// newLoud is both witnesses in one, where the image has a shell: with what it prints and with its failure it proves what the two prove,
// and it is one step. It has as many words as the check, or more. Where it does not come out and fail, the two decide. nil for a check of
// one word.
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

// proves reports whether the step that failed is this witness, of newLoud, and its words came out before.
func (w witness) proves(record, step string) bool {
	want := strings.Join(w[3:], " ")
	return w.failedAt(step) && slices.ContainsFunc(buildx.PrintedBySteps(record), func(line string) bool {
		before, found := strings.CutSuffix(line, want)
		return found && !strings.Contains(before, failsAloud)
	})
}

func makeWord() string { return "witness-" + strings.ToLower(rand.Text()) }

// mark is a word that no other step of a build has.
func (w witness) mark() string { return w[len(w)-1] }

// spoke reports whether a build's record has the line that the witness is to print. A log's prefix may stand before it; a trace of the
// command is not what it prints.
func (w witness) spoke(record string) bool {
	want := strings.Join(w[1:], " ")
	return slices.ContainsFunc(buildx.PrintedBySteps(record), func(line string) bool {
		before, found := strings.CutSuffix(line, want)
		return found && !strings.Contains(before, w[0])
	})
}

// failedAt reports whether a step that failed is the witness.
func (w witness) failedAt(step string) bool {
	name, _, _ := strings.Cut(step, "\n")
	return strings.Contains(name, w.mark())
}

// listen says what a build means that did the check, and then the witnesses up to the step that failed; "" is none.
func (p *Prover) listen(one registry.Image, record, step string, says witness) error {
	switch {
	case says != nil && step != "" && says.failedAt(step):
		return nil // the entry point takes it for something else than the check, which passed
	case says != nil && !says.spoke(record), says == nil && step == "":
		return p.explainUnheard(one, "nothing shows that the image of %s ran its check on %s: its entry point %s passes any other command too",
			`let the entry point run the command that it is given: ENTRYPOINT ["program", "argument"], a script that ends with exec "$@", or no -c before a command`)
	case step == "":
		return p.explainUnheard(one, "nothing shows that the image of %s passes its check on %s: its entry point %s passes a command that fails, too",
			`let the entry point end as the command does that it is given: a script ends with exec "$@", without a pipe or another command behind it`)
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
