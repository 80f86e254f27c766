package release

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Kinds of the journal's entries.
const (
	kindPlan = "plan"
	kindStep = "step"
	kindEnd  = "end"
)

// End is how a release ended.
type End string

// The ends of a release.
const (
	Released  End = "released"
	Undone    End = "undone"    // commit and tag were taken back
	Abandoned End = "abandoned" // it cannot be taken back, and is not to be completed
)

// Past is what a journal has of a release.
type Past struct {
	Path    string
	Plan    *Plan
	Records []workflow.Record
	Times   []time.Time // of the records
	End     End         // "" where it has not ended
}

// session is the journal of the release that is under way. Until the plan is agreed to, nothing is on the disk.
type session struct {
	dir, tool string
	journal   *journal.Journal
	early     []workflow.Record // before there is a journal
	void      string            // journal of which nothing came: another one takes its place
}

// Lock takes the clone for this process's release, by a folder that all its work trees share: branches, tags and the remote
// are theirs together. It is for operr.Stopped that another one has it. killed is when the process before this one took it, if
// that ended without giving it back.
func Lock(state string) (unlock func(), killed time.Time, err error) {
	unlock, killed, err = journal.Lock(filepath.Join(state, "release.lock"))
	if errors.Is(err, journal.ErrLocked) {
		return nil, killed, operr.NewStopped("wait until it has ended; `mage status` says where it stands", "another release is under way here, %w", err)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return nil, killed, operr.New("make it writable: what has to be known of a run that is killed is kept there, beside what git keeps", "nothing was changed: %w", err)
	}
	return unlock, killed, err
}

func journals(state string) string { return filepath.Join(state, "releases") }

// Last returns the release that was begun last in this clone; nil where there is none.
func Last(state string) (*Past, error) {
	name, err := lastJournal(state)
	if name == "" || err != nil {
		return nil, err
	}
	return readPast(filepath.Join(journals(state), name))
}

// lastJournal is the name of the last journal; "" where there is none.
func lastJournal(state string) (string, error) {
	entries, err := os.ReadDir(journals(state))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".jsonl") {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	return slices.Max(names), nil
}

func readPast(path string) (*Past, error) {
	entries, err := journal.Read(path)
	if err != nil {
		return nil, operr.NewStopped("look at it; where nothing of that release is on the remote, remove the file", "%w", err)
	}
	past := &Past{Path: path}
	for _, e := range entries {
		var err error
		switch e.Kind {
		case kindPlan:
			past.Plan = &Plan{}
			err = json.Unmarshal(e.Body, past.Plan)
			if err == nil && past.Plan.Format != planFormat {
				return nil, operr.NewStopped("continue it with the version of this tool that began it ("+e.Tool+")", "the plan in %s is of another format", path)
			}
			if digest, _ := past.Plan.Digest(); err == nil && digest != e.Plan {
				return nil, operr.NewStopped("look at it", "the plan in %s is not the one that was agreed to: its digest is %s", path, digest)
			}
		case kindStep:
			var rec workflow.Record
			err = json.Unmarshal(e.Body, &rec)
			past.Records, past.Times = append(past.Records, rec), append(past.Times, e.Time)
		case kindEnd:
			err = json.Unmarshal(e.Body, &past.End)
		}
		if err != nil {
			return nil, operr.NewStopped("look at it", "reading %s, entry %d: %w", path, e.Seq, err)
		}
	}
	if past.Plan == nil {
		return nil, operr.NewStopped("look at it", "there is no plan in %s", path)
	}
	return past, nil
}

// ended is how the journals of this clone say that the release of these tags, at this commit, has ended; "" where they do not.
func (r *Release) ended(p *Plan) (end End, err error) {
	entries, err := os.ReadDir(journals(r.State))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".jsonl") {
			continue
		}
		past, err := readPast(filepath.Join(journals(r.State), e.Name()))
		if err != nil {
			continue // Last says it of the one that counts
		}
		if commit := past.commit(); slices.Equal(past.Plan.Tags, p.Tags) && (commit == "" || commit == p.Base) {
			end = past.End
		}
	}
	return end, nil
}

// CopyTo writes the journal to another path, as that of the same release for another channel.
func (p *Past) CopyTo(path, channel string) error {
	plan := *p.Plan
	plan.Channel = channel
	digest, err := plan.Digest()
	if err != nil {
		return err
	}
	first, err := entry(kindPlan, &plan)
	if err != nil {
		return err
	}
	all := []journal.Entry{first}
	for i, rec := range p.Records {
		e, err := entry(kindStep, rec)
		if err != nil {
			return err
		}
		e.Time = p.Times[i]
		all = append(all, e)
	}
	j, err := journal.Create(path, "a copy", digest, all...)
	if err != nil {
		return err
	}
	return j.Close()
}

// resume goes on with a journal.
func (s *session) resume(past *Past) error {
	digest, err := past.Plan.Digest()
	if err != nil {
		return err
	}
	s.journal, _, err = journal.Open(past.Path, s.tool, digest)
	return err
}

// begin writes the plan down, and what was recorded before.
func (s *session) begin(p *Plan) error {
	if s.journal != nil {
		return nil
	}
	digest, err := p.Digest()
	if err != nil {
		return err
	}
	first, err := entry(kindPlan, p)
	if err != nil {
		return err
	}
	all := []journal.Entry{first}
	for _, rec := range s.early {
		e, err := entry(kindStep, rec)
		if err != nil {
			return err
		}
		all = append(all, e)
	}
	name := s.stamp() + "-" + strings.NewReplacer("/", "-", " ", "", ",", "+").Replace(p.Title) + ".jsonl"
	if s.journal, err = journal.Create(filepath.Join(journals(s.dir), name), s.tool, digest, all...); err != nil || s.void == "" {
		return err
	}
	return os.Remove(s.void)
}

// stampForm is that of the time which a journal's name begins with.
const stampForm = "20060102T150405.000Z"

// stamp is the present, or, where the clock has gone back since, the moment after the last journal's: the last one is known by
// its name.
func (s *session) stamp() string {
	now := time.Now().UTC()
	if last, err := lastJournal(s.dir); err == nil && len(last) >= len(stampForm) {
		if then, err := time.Parse(stampForm, last[:len(stampForm)]); err == nil && !now.After(then) {
			now = then.Add(time.Millisecond)
		}
	}
	return now.Format(stampForm)
}

// begun says that a plan was agreed to: by this run, or by the one that it continues.
func (s *session) begun() bool { return s.journal != nil }

func entry(kind string, body any) (journal.Entry, error) {
	data, err := json.Marshal(body)
	return journal.Entry{Kind: kind, Body: data}, err
}

func (s *session) record(rec workflow.Record) error {
	if s.journal == nil {
		s.early = append(s.early, rec)
		return nil
	}
	return s.journal.Append(kindStep, rec)
}

func (s *session) end(e End) error {
	if s.journal == nil {
		return nil
	}
	return s.journal.Append(kindEnd, e)
}

func (s *session) close() {
	if s.journal != nil {
		_ = s.journal.Close() // every entry is synced
	}
}
