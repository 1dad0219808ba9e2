// Reads an exposition from standard input with Prometheus' own parser and prints its samples as JSON. The argument is the
// content type that the exposition came with.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

type sample struct {
	Labels map[string]string `json:"labels"`
	// As text, since JSON knows no NaN.
	Value string `json:"value"`
}

func read(in io.Reader, contentType string) ([]sample, error) {
	decoder := expfmt.NewDecoder(in, expfmt.Format(contentType))
	samples := []sample{}
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
			return samples, nil
		} else if err != nil {
			return nil, err
		}
		vector, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{Timestamp: model.Now()}, &family)
		if err != nil {
			return nil, err
		}
		for _, each := range vector {
			labels := map[string]string{}
			for name, value := range each.Metric {
				labels[string(name)] = string(value)
			}
			samples = append(samples, sample{labels, fmt.Sprint(float64(each.Value))})
		}
	}
}

func main() {
	samples, err := read(os.Stdin, os.Args[1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(samples)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
