from weft_runtime.run_service import run_service

from {{file}}_service.service import {{file}}

run_service({{file}})
