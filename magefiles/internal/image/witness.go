package image

import (
	"crypto/rand"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// witness is a second command for the entry point of an image, beside its check. An entry point that does not run what it is given
// passes any check: `bash -lc` runs the first word alone, a script without "$@" runs none. So the witness has as many words as the
// check, and the words are made up each time. Where they do not come out, and nothing fails, the check was not run either.
type witness []string

// newWitness is one for a check of as many words. Of one word no program prints anything that is known before; it has to fail.
func newWitness(check []string) witness {
	w := witness{"echo"}
	for range len(check) - 1 {
		w = append(w, "witness-"+strings.ToLower(rand.Text()))
	}
	if len(w) == 1 {
		w[0] = "witness-" + strings.ToLower(rand.Text())
	}
	return w
}

// mark is a word that no other step of a build has.
func (w witness) mark() string { return w[len(w)-1] }

// printed is a line that a step of a build printed: BuildKit writes the step's number and the time before it.
var printed = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^#\d+ \d+\.\d+ (.*)$`) })

// spoke reports whether a build's record has the line that the witness is to print. A log's prefix may stand before it; a trace of the
// command is not what it prints.
func (w witness) spoke(record string) bool {
	if len(w) == 1 {
		return false
	}
	want := strings.Join(w[1:], " ")
	return slices.ContainsFunc(printed().FindAllStringSubmatch(record, -1), func(m []string) bool {
		before, found := strings.CutSuffix(strings.TrimSpace(m[1]), want)
		return found && !strings.Contains(before, w[0])
	})
}

// failedAt reports whether a step that failed is the witness: the entry point takes it for something else than the check, which passed.
func (w witness) failedAt(step string) bool {
	name, _, _ := strings.Cut(step, "\n")
	return strings.Contains(name, w.mark())
}

// deaf is an entry point that any command passes.
func (j *Job) deaf(one Image) error {
	text, err := json.Marshal(one.Entrypoint)
	if err != nil {
		return err
	}
	return operr.New(`let the entry point run the command that it is given: ENTRYPOINT ["program", "argument"], a script that ends with exec "$@", or no -c before a command; no tag was moved`,
		"nothing shows that the image of %s ran its check on %s: its entry point %s passes any other command too", j.Plan.Name, one.Platform, text)
}
