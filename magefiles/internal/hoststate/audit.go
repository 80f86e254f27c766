package hoststate

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Entry is one line of an environment's audit.
type Entry struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	From   string    `json:"from"`          // a machine
	Run    string    `json:"run,omitempty"` // the address of a job
	What   string    `json:"what"`
	Result string    `json:"result"`
}

// Audit adds a line. No lock is needed: also who was refused is worth a line.
func (s *State) Audit(ctx context.Context, env string, e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = s.call(ctx, line, "audit", env, size(line))
	return err
}

// Audited are the last lines, the oldest first. A line that a loss of power has torn is left out.
func (s *State) Audited(ctx context.Context, env string, lines int) ([]Entry, error) {
	found, err := s.call(ctx, nil, "audited", env, strconv.Itoa(lines))
	if err != nil {
		return nil, err
	}
	var all []Entry
	for line := range strings.Lines(found.one("audit")) {
		var e Entry
		if err := json.Unmarshal([]byte(line), &e); err == nil {
			all = append(all, e)
		}
	}
	return all, nil
}
