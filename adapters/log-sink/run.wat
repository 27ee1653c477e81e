;; Runs a program, and flushes the log sink when it returns.
(component
  (import "wasi:cli/run@0.2.0" (instance $program (export "run" (func (result (result))))))
  (import "stratalog:adapters/log-sink" (instance $sink (export "flush" (func))))
  (core module $calls
    (import "program" "run" (func $run (result i32)))
    (import "sink" "flush" (func $flush))
    (func (export "run") (result i32)
      call $run
      call $flush))
  (core func $run (canon lower (func $program "run")))
  (core func $flush (canon lower (func $sink "flush")))
  (core instance $called (instantiate $calls
    (with "program" (instance (export "run" (func $run))))
    (with "sink" (instance (export "flush" (func $flush))))))
  (func $lifted (result (result)) (canon lift (core func $called "run")))
  (instance $run (export "run" (func $lifted)))
  (export "wasi:cli/run@0.2.0" (instance $run)))
