package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// DefaultWait is the default time that Visible waits for the index.
const DefaultWait = 10 * time.Minute

// leastLook is the minimum time limit for one read of the index, even if less time is left to wait.
const leastLook = 5 * time.Second

// Visible waits until a solver can find the files: until every form of the index that the channel offers lists each file with its sha256. It
// returns a summary. If it times out, its error lists what was still missing, and the caller may call it again to continue waiting.
//
// A form that the channel does not offer is skipped, as solvers do, but the channel must offer repodata.json or its compressed form.
//
// Zero values in w are replaced with defaults that suit an index.
func Visible(ctx context.Context, c Destination, records []condapkg.Record, w pause.Wait) (evidence string, err error) {
	if len(records) == 0 {
		return "nothing to wait for", nil
	}
	w.What, w.Look = "the index of "+c.URL(), cmp.Or(w.Look, leastLook)
	w.First, w.Most = cmp.Or(w.First, time.Second/2), cmp.Or(w.Most, 10*time.Second)
	w.For = cmp.Or(w.For, DefaultWait)
	if w.Now == nil {
		w.Now = time.Now
	}
	var seen sightings
	p, err := w.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		seen = look(ctx, c, records, w.Now())
		missing := seen.missing()
		if len(missing) == 0 {
			return pause.Seen{Done: true}, nil
		}
		return pause.Seen{Says: missing[0]}, nil
	})
	if errors.Is(err, pause.ErrOver) {
		return "", operr.New("run the same command again: it continues to wait, and sends nothing twice",
			"%s does not show everything after %s: %s", c.URL(), columns.Took(p.Waited), p.Seen.Says).WithDetail(strings.Join(seen.lines(), "\n"))
	}
	if err != nil {
		return "", err
	}
	return seen.evidence(len(records)), nil
}

// sighting records how one form of the index lists one file.
type sighting struct {
	form, file string
	good       bool
	says       string
	at         time.Time
}

type sightings []sighting

// look reads the index of every subdir once, in every form.
func look(ctx context.Context, c Destination, records []condapkg.Record, at time.Time) (seen sightings) {
	for subdir, group := range bySubdir(records) {
		var names []string
		for _, r := range group {
			names = append(names, r.Name)
		}
		slices.Sort(names)
		forms := c.Forms(ctx, subdir, slices.Compact(names)...)
		for _, r := range group {
			seen = append(seen, sightingsOf(r, forms, at)...)
		}
	}
	slices.SortStableFunc(seen, func(a, b sighting) int { return strings.Compare(a.file, b.file) })
	return seen
}

func bySubdir(records []condapkg.Record) map[string][]condapkg.Record {
	groups := map[string][]condapkg.Record{}
	for _, r := range records {
		groups[r.Subdir] = append(groups[r.Subdir], r)
	}
	return groups
}

func sightingsOf(r condapkg.Record, forms []channel.Form, at time.Time) (seen sightings) {
	whole := false
	for _, f := range forms {
		s := sighting{form: f.Name, file: fileOf(r), at: at}
		s.good, s.says = judge(r, f)
		whole = whole || f.Offered && f.Name != repodata.Shards
		seen = append(seen, s)
	}
	if !whole {
		for i := range seen {
			seen[i].good = seen[i].good && seen[i].form == repodata.Shards
		}
	}
	return seen
}

// judge checks how one form of the index lists one file.
func judge(r condapkg.Record, f channel.Form) (good bool, says string) {
	if f.Err != nil {
		return false, "it cannot be read: " + f.Err.Error()
	}
	if !f.Offered {
		return true, "not offered"
	}
	for _, have := range f.Records {
		if have.FileName() != r.FileName() {
			continue
		}
		if have.SHA256 != r.SHA256 {
			return false, fmt.Sprintf("it has sha256 %s, but %s was expected", have.SHA256, r.SHA256)
		}
		return true, "it has our sha256"
	}
	return false, "the file is not listed"
}

func (all sightings) missing() (sentences []string) {
	for _, s := range all {
		if !s.good {
			sentences = append(sentences, fmt.Sprintf("%s in %s: %s", s.file, s.form, s.says))
		}
	}
	return sentences
}

func (all sightings) lines() (lines []string) {
	for _, s := range all {
		lines = append(lines, fmt.Sprintf("%s  %s  %s: %s", s.at.UTC().Format("15:04:05Z"), s.file, s.form, s.says))
	}
	return lines
}

// evidence returns a text that names the forms of the index that list the files.
func (all sightings) evidence(files int) string {
	var forms []string
	for _, s := range all {
		if s.says != "not offered" && !slices.Contains(forms, s.form) {
			forms = append(forms, s.form)
		}
	}
	return fmt.Sprintf("%s with sha256, in %s", operr.Count(files, "file"), strings.Join(forms, ", "))
}
