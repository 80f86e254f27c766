package workflow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// step is a Step of any type.
type step interface {
	name() string
	options() options
	skip() (why string, err error)
	// check asks the world, and keeps the result when it is done. recorded is JSON, or nil.
	check(ctx context.Context, recorded []byte) (found outcome, done bool, err error)
	do(ctx context.Context) (outcome, error)
	// recall takes a recorded result for the step's, where the world was not asked.
	recall(recorded []byte) error
	// now is the result that the step has, as it is recorded; nil where it has none.
	now() []byte
}

type options struct {
	checks, does, whole, waits bool
	retries                    int
}

// outcome is a result, as it is recorded.
type outcome struct {
	evidence string
	result   []byte
}

type typed[R any] struct {
	Step[R]
	value *Value[R]
}

func (s *typed[R]) name() string { return s.Name }

func (s *typed[R]) options() options {
	return options{checks: s.Check != nil, does: s.Do != nil, whole: s.Whole, waits: s.Waits, retries: s.Retries}
}

func (s *typed[R]) skip() (why string, err error) {
	defer func() {
		if v := recover(); v != nil {
			why, err = "", operr.Panicked(v)
		}
	}()
	if s.Skip == nil {
		return "", nil
	}
	return s.Skip(), nil
}

func (s *typed[R]) check(ctx context.Context, recorded []byte) (found outcome, done bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			found, done, err = outcome{}, false, operr.Panicked(v)
		}
	}()
	var before *R
	if recorded != nil {
		before = new(R)
		if err := json.Unmarshal(recorded, before); err != nil {
			return outcome{}, false, fmt.Errorf("reading what was recorded of %q: %w", s.Name, err)
		}
	}
	result, done, err := s.Check(ctx, before)
	if err != nil || !done {
		return outcome{}, false, err
	}
	o, err := s.keep(result)
	return o, err == nil, err
}

func (s *typed[R]) do(ctx context.Context) (made outcome, err error) {
	defer func() {
		if v := recover(); v != nil {
			made, err = outcome{}, operr.Panicked(v)
		}
	}()
	result, err := s.Do(ctx)
	if err != nil {
		return outcome{}, err
	}
	return s.keep(result)
}

func (s *typed[R]) now() []byte {
	if s.value.value == nil {
		return nil
	}
	data, err := json.Marshal(*s.value.value)
	if err != nil {
		return nil // keep has seen that it can be
	}
	return data
}

// keep makes a result the step's, if it survives JSON.
func (s *typed[R]) keep(result R) (outcome, error) {
	o := outcome{}
	var err error
	if o.result, err = json.Marshal(result); err != nil {
		return o, fmt.Errorf("the result of %q cannot be recorded: %w", s.Name, err)
	}
	var again R
	if err := json.Unmarshal(o.result, &again); err != nil {
		return o, fmt.Errorf("the result of %q cannot be read back: %w", s.Name, err)
	}
	if !reflect.DeepEqual(result, again) {
		return o, fmt.Errorf("the result of %q is not what is recorded of it: %+v became %+v", s.Name, result, again)
	}
	s.value.value = &result
	if s.Say != nil {
		o.evidence = s.Say(result)
	}
	return o, nil
}

func (s *typed[R]) recall(recorded []byte) error {
	if recorded == nil || bytes.Equal(recorded, []byte("null")) {
		return nil
	}
	s.value.value = new(R)
	return json.Unmarshal(recorded, s.value.value)
}
