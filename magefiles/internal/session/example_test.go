package session_test

import (
	"context"
	"fmt"
	"os"

	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// rotation is the plan, to which the user agrees.
type rotation struct{ Old, New string }

func (r *rotation) Label() string { return r.New }

// rotate is the operation. It creates a new key and makes it the current one. state is the folder for journals.
func rotate(state string, s *keyServer) *session.Operation[*rotation] {
	type step = workflow.Step[string]
	return &session.Operation[*rotation]{
		Kind: session.Kind[*rotation]{
			Name: "rotation",
			Dir:  state,
			Done: "rotated",
			Type: session.Commands{Run: "mage key:rotate", Status: "mage key:status", Undo: "mage key:undo"},
		},
		Make: func(ctx context.Context) (*rotation, error) {
			old, _, err := s.ask(ctx, "GET", "/current", "")
			return &rotation{old, old + "-next"}, err
		},
		Confirm: func(_ context.Context, p *rotation) error {
			fmt.Printf("replace %s by %s\n", p.Old, p.New) // a real Confirm also asks the user
			return nil
		},
		Define: func(p *rotation) *workflow.Definition {
			d := workflow.New()
			made := workflow.Add(d, step{
				Name: "make",
				Check: func(ctx context.Context, _ *string) (string, bool, error) {
					_, there, err := s.ask(ctx, "GET", "/keys/"+p.New, "")
					return p.New, there, err
				},
				Do: func(ctx context.Context) (string, error) {
					_, _, err := s.ask(ctx, "PUT", "/keys/"+p.New, "")
					return p.New, err
				},
			})
			workflow.Add(d, step{
				Name: "use",
				Check: func(ctx context.Context, _ *string) (string, bool, error) {
					now, _, err := s.ask(ctx, "GET", "/current", "")
					return now, now == made.Get(), err
				},
				Do: func(ctx context.Context) (string, error) {
					_, _, err := s.ask(ctx, "PUT", "/current", made.Get())
					return made.Get(), err
				},
			})
			return d
		},
		Revert: func(ctx context.Context, past *session.Past[*rotation]) error {
			if _, _, err := s.ask(ctx, "PUT", "/current", past.Plan.Old); err != nil {
				return err
			}
			_, _, err := s.ask(ctx, "DELETE", "/keys/"+past.Plan.New, "")
			return err
		},
	}
}

func ExampleOperation() {
	state, _ := os.MkdirTemp("", "state-")
	defer os.RemoveAll(state)
	_, err := rotate(state, keys).Run(context.Background())
	fmt.Println(keys.all(), err)
	// Output:
	// replace key-1 by key-1-next
	// *key-1-next of key-1 key-1-next <nil>
}
