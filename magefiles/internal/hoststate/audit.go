package hoststate

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Entry is an entry in an environment's audit log.
type Entry struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	From   string    `json:"from"`          // machine
	Run    string    `json:"run,omitempty"` // URL of a job
	What   string    `json:"what"`
	Result string    `json:"result"`
}

// Audit appends an entry to the audit log. It does not require the lock, so rejected deployments are recorded too.
func (s *State) Audit(ctx context.Context, env string, e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = s.call(ctx, line, "audit", env, size(line))
	return err
}

// AuditLog returns the last entries, oldest first. It skips a line that a power failure has truncated.
func (s *State) AuditLog(ctx context.Context, env string, lines int) ([]Entry, error) {
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
