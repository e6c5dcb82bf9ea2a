from email_service.service import email
from weft_runtime.run_service import run_service

run_service(email)
